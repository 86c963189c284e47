//! On PostgreSQL each migration is a transaction of its own, on SQLite all are one.

use std::time::Duration;

use chassis::database::migrate::{self, LockWaits};
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbErr, TransactionTrait};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};
use testkit::{Backend, TestDatabase};

/// A migration of one statement.
struct Step(&'static str, &'static str);

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.0
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.1).await.map(drop)
    }
}

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(Step("of_visits", "ALTER TABLE visit ADD COLUMN note text")),
            Box::new(Step("of_rooms", "ALTER TABLE room ADD COLUMN note text")),
        ]
    }
}

const VISITS: &str = "CREATE TABLE visit (id integer PRIMARY KEY)";
const ROOMS: &str = "CREATE TABLE room (id integer PRIMARY KEY)";

#[tokio::test]
async fn a_migration_that_waits_holds_no_lock_of_those_before_it() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    for table in [VISITS, ROOMS] {
        db.database.write.execute_unprepared(table).await.expect("a table");
    }
    let transaction = db.for_migrations().await.begin().await.expect("a transaction");
    transaction.execute_unprepared("SELECT 1 FROM room").await.expect("read");

    let short = LockWaits { pause: Duration::from_millis(100), total: Duration::from_secs(2), ..LockWaits::default() };
    let error = migrate::run::<Migrator>(&db.url, short).await.expect_err("a lock is held").to_string();
    assert!(error.contains("the migration was rolled back"), "{error}");
    assert_eq!(db.database.pending_migrations::<Migrator>().await.expect("an answer"), ["of_rooms"]);
    transaction.rollback().await.expect("ended");
    assert_eq!(migrate::run::<Migrator>(&db.url, short).await.expect("migrated"), ["of_rooms"]);
}

#[rstest]
#[case::sqlite(Backend::Sqlite, &["of_visits", "of_rooms"])]
#[case::postgres(Backend::Postgres, &["of_rooms"])]
#[tokio::test]
async fn after_a_migration_that_fails_the_pending_ones_can_be_applied(
    #[case] backend: Backend,
    #[case] pending: &[&str],
) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    db.database.write.execute_unprepared(VISITS).await.expect("a table");
    migrate::run::<Migrator>(&db.url, LockWaits::default()).await.expect_err("there are no rooms");
    assert_eq!(db.database.pending_migrations::<Migrator>().await.expect("an answer"), pending);
    db.database.write.execute_unprepared(ROOMS).await.expect("a table");
    assert_eq!(migrate::run::<Migrator>(&db.url, LockWaits::default()).await.expect("migrated"), pending);
}
