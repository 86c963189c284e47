//! Migrations while others hold locks.

use std::time::{Duration, Instant};

use chassis::database::{
    Connections,
    migrate::{self, LockWaits},
};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseTransaction, DbErr, TransactionTrait};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};
use testkit::{Backend, TestDatabase};
use tokio::{sync::mpsc, task::JoinHandle};

/// Needs an exclusive lock on `visit`.
struct AddColumn;

impl MigrationName for AddColumn {
    fn name(&self) -> &'static str {
        "add_column"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddColumn {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("ALTER TABLE visit ADD COLUMN note text").await.map(drop)
    }
}

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(AddColumn)]
    }
}

const TABLE: &str = "CREATE TABLE visit (id integer PRIMARY KEY, number integer NOT NULL);
                     INSERT INTO visit VALUES (1, 0), (2, 0)";

/// A forgotten transaction without limits that changed a row; with its pid on PostgreSQL.
async fn forgotten(db: &TestDatabase) -> (DatabaseTransaction, i32) {
    let mut options = ConnectOptions::new(db.url());
    options.max_connections(1).sqlx_logging(false);
    options.map_sqlx_postgres_opts(|postgres| postgres.application_name("a shell"));
    let connection = sea_orm::Database::connect(options).await.expect("a connection");
    let transaction = connection.begin().await.expect("a transaction");
    let pid = match transaction.query_one_raw(pid_of(&transaction)).await {
        Ok(Some(row)) => row.try_get_by_index(0).expect("a pid"),
        _ => 0,
    };
    transaction.execute_unprepared("UPDATE visit SET number = 7 WHERE id = 1").await.expect("a change");
    (transaction, pid)
}

fn pid_of(connection: &impl ConnectionTrait) -> sea_orm::Statement {
    let backend = connection.get_database_backend();
    let sql = if backend == sea_orm::DbBackend::Postgres { "SELECT pg_backend_pid()" } else { "SELECT 0" };
    sea_orm::Statement::from_string(backend, sql)
}

/// Writes to another row continuously, and reports the time of each statement.
fn writer(connection: Connections) -> (JoinHandle<Result<(), DbErr>>, mpsc::UnboundedReceiver<Duration>) {
    let (tell, told) = mpsc::unbounded_channel();
    let task = tokio::spawn(async move {
        loop {
            let begun = Instant::now();
            connection.execute_unprepared("UPDATE visit SET number = number + 1 WHERE id = 2").await?;
            if tell.send(begun.elapsed()).is_err() {
                return Ok(());
            }
        }
    });
    (task, told)
}

fn migrate(db: &TestDatabase, waits: LockWaits) -> JoinHandle<Result<(), DbErr>> {
    let url = db.url.clone();
    tokio::spawn(async move { migrate::run::<Migrator>(&url, waits).await.map(drop) })
}

/// Gives up after about three attempts.
fn short() -> LockWaits {
    LockWaits { pause: Duration::from_millis(100), total: Duration::from_secs(3), ..LockWaits::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_behind_a_forgotten_transaction_holds_up_writers_for_a_second_at_most() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    db.database.write.execute_unprepared(TABLE).await.expect("a table");
    let (transaction, _) = forgotten(&db).await;
    let (writer, mut took) = writer(db.database.write.clone());

    let migration = migrate(&db, LockWaits::default());
    // The writer was delayed twice: the migration has tried twice.
    let (mut held_up, mut longest) = (0, Duration::ZERO);
    while held_up < 2 {
        let wait = took.recv().await.expect("no statement fails");
        held_up += u32::from(wait > Duration::from_millis(500));
        longest = longest.max(wait);
    }
    assert!(longest < Duration::from_secs(2), "{longest:?}");

    transaction.rollback().await.expect("ended");
    migration.await.expect("no panic").expect("migrated");
    assert!(db.database.pending_migrations::<Migrator>().await.expect("an answer").is_empty());
    drop(took);
    writer.await.expect("no panic").expect("no statement failed");
}

#[tokio::test]
async fn a_migration_that_gives_up_names_the_session_in_its_way() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    db.database.write.execute_unprepared(TABLE).await.expect("a table");
    let (transaction, pid) = forgotten(&db).await;
    let error = migrate(&db, short()).await.expect("no panic").expect_err("a lock is held").to_string();
    for part in [
        &format!("pid {pid} "),
        "user postgres",
        "\"a shell\"",
        "idle in transaction",
        " s old",
        "UPDATE visit SET number = 7",
        &format!("pg_terminate_backend({pid})"),
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    transaction.rollback().await.expect("ended");
    // The failed attempt left nothing behind.
    migrate(&db, short()).await.expect("no panic").expect("migrated");
}

#[tokio::test]
async fn a_migration_behind_another_names_it() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let (transaction, pid) = {
        db.database.write.execute_unprepared(TABLE).await.expect("a table");
        forgotten(&db).await
    };
    // The lock that the other migration takes first.
    transaction.execute_unprepared("SELECT pg_advisory_xact_lock(7883946363647714609)").await.expect("locked");
    let error = migrate(&db, short()).await.expect("no panic").expect_err("a lock is held").to_string();
    assert!(error.contains(&format!("pid {pid} ")), "{error}");
    assert!(error.contains("pg_advisory_xact_lock"), "{error}");
}

#[tokio::test]
async fn a_migration_waits_for_another_of_its_schema_only() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    db.database.write.execute_unprepared("CREATE SCHEMA one; CREATE SCHEMA other").await.expect("schemas");
    for schema in ["one", "other"] {
        let table = TABLE.replace("visit", &format!("{schema}.visit"));
        db.database.write.execute_unprepared(&table).await.expect("a table");
    }
    let connection = db.for_migrations().await;
    let migration = connection.begin().await.expect("a transaction");
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended('one', 7883946363647714609))";
    migration.execute_unprepared(lock).await.expect("locked");
    let [one, other] = ["one", "other"].map(|schema| db.url_of_schema(schema));
    migrate::run::<Migrator>(&other, short()).await.expect("migrated beside the other");
    let error = migrate::run::<Migrator>(&one, short()).await.expect_err("it is locked").to_string();
    assert!(error.contains("a lock is still held by pid"), "{error}");
    migration.rollback().await.expect("ended");
    assert_eq!(migrate::run::<Migrator>(&one, short()).await.expect("migrated"), ["add_column"]);
}

#[tokio::test]
async fn a_migration_in_a_schema_that_is_not_there_says_how_to_make_it() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let error =
        migrate::run::<Migrator>(&db.url_of_schema("absent"), short()).await.expect_err("no schema").to_string();
    assert!(error.contains("`migrate --schema NAME` creates one"), "{error}");
}

#[tokio::test]
async fn a_migration_of_a_sqlite_file_that_another_writes_to_says_so() {
    let Some(db) = TestDatabase::empty(Backend::Sqlite).await else { return };
    db.database.write.execute_unprepared(TABLE).await.expect("a table");
    let (transaction, _) = forgotten(&db).await;
    let error = migrate(&db, short()).await.expect("no panic").expect_err("a lock is held").to_string();
    let file = db.url().trim_start_matches("sqlite://").to_owned();
    assert!(error.contains(&format!("writes to {file}")), "{error}");
    if cfg!(target_os = "linux") {
        assert!(error.contains(&format!("pid {}", std::process::id())), "{error}");
    }
    transaction.rollback().await.expect("ended");
    migrate(&db, short()).await.expect("no panic").expect("migrated");
}

#[tokio::test]
async fn a_migration_leaves_no_session_behind() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    db.database.write.execute_unprepared(TABLE).await.expect("a table");
    db.database.migrate::<Migrator>().await.expect("migrated");
    let sessions = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'migrate' AND datname = current_database()";
    let sessions = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sessions);
    // The server needs a moment after the last byte.
    while db.database.read.query_one_raw(sessions.clone()).await.expect("an answer").is_some() {}
}
