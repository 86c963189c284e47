//! Connections after a failure: none is used again, whatever the failure was.

use chassis::database::{Connections, Database};
use futures_util::future::join_all;
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbErr, Statement};
use testkit::{Backend, TestDatabase};

/// A foreign key that is checked at the commit.
const TABLES: &str = "
    CREATE TABLE parent (id INTEGER PRIMARY KEY);
    CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)";

async fn tables(backend: Backend) -> Option<TestDatabase> {
    let db = TestDatabase::empty(backend).await?;
    db.database.write.execute_unprepared(TABLES).await.expect("tables");
    Some(db)
}

async fn number(connections: &Connections, sql: &str) -> i64 {
    let statement = Statement::from_string(connections.get_database_backend(), sql);
    let row = connections.query_one_raw(statement).await.expect("a query").expect("a row");
    row.try_get_by_index(0).expect("a number")
}

/// Writes in a transaction and checks that other processes see the row.
async fn writes_durably(db: &TestDatabase, id: u32) {
    let transaction = db.database.begin().await.expect("a transaction");
    transaction.execute_unprepared(&format!("INSERT INTO parent VALUES ({id})")).await.expect("inserted");
    transaction.commit().await.expect("committed");
    let other = Database::connect(&db.url).await.expect("another process");
    let found = format!("SELECT CAST(count(*) AS bigint) FROM parent WHERE id = {id}");
    assert_eq!(number(&other.read, &found).await, 1, "committed for everybody");
}

#[rstest]
#[tokio::test]
async fn a_connection_whose_commit_failed_is_not_used_again(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = tables(backend).await else { return };
    for _ in 0..3 {
        let transaction = db.database.begin().await.expect("a transaction");
        transaction.execute_unprepared("INSERT INTO child VALUES (1, 1)").await.expect("checked at the commit");
        transaction.commit().await.expect_err("there is no such parent");
    }
    writes_durably(&db, 7).await;
    assert_eq!(number(&db.database.read, "SELECT CAST(count(*) AS bigint) FROM child").await, 0);
}

#[tokio::test]
async fn a_transaction_that_sqlite_ended_by_itself_is_not_committed() {
    let Some(db) = tables(Backend::Sqlite).await else { return };
    writes_durably(&db, 1).await;
    let transaction = db.database.begin().await.expect("a transaction");
    transaction.execute_unprepared("INSERT INTO parent VALUES (2)").await.expect("inserted");
    // As with a full disk.
    transaction.execute_unprepared("INSERT OR ROLLBACK INTO parent VALUES (1)").await.expect_err("rolled back");
    transaction.commit().await.expect_err("there is nothing to commit");
    writes_durably(&db, 3).await;
    assert_eq!(number(&db.database.read, "SELECT CAST(count(*) AS bigint) FROM parent").await, 2);
}

#[tokio::test]
async fn a_file_that_was_full_is_written_again() {
    let Some(db) = tables(Backend::Sqlite).await else { return };
    db.database.write.execute_unprepared("PRAGMA max_page_count = 1").await.expect("full");
    let large = "INSERT INTO parent SELECT value FROM (
        WITH RECURSIVE numbers (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers LIMIT 10000)
        SELECT value FROM numbers)";
    let transaction = db.database.begin().await.expect("a transaction");
    let full = transaction.execute_unprepared(large).await.expect_err("no room");
    assert!(full.to_string().contains("full"), "{full}");
    transaction.commit().await.expect_err("there is nothing to commit");
    writes_durably(&db, 1).await;
}

#[rstest]
#[tokio::test]
async fn a_transaction_in_which_a_statement_failed_cannot_be_committed(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = tables(backend).await else { return };
    let transaction = db.database.begin().await.expect("a transaction");
    transaction.execute_unprepared("INSERT INTO parent VALUES (1)").await.expect("inserted");
    transaction.execute_unprepared("INSERT INTO parent VALUES (1)").await.expect_err("twice");
    transaction.execute_unprepared("INSERT INTO parent VALUES (2)").await.expect_err("it is over");
    // PostgreSQL itself would answer ROLLBACK, without an error.
    transaction.commit().await.expect_err("nothing is committed");
    assert_eq!(number(&db.database.read, "SELECT CAST(count(*) AS bigint) FROM parent").await, 0);
}

#[rstest]
#[tokio::test]
async fn a_transaction_that_is_dropped_is_rolled_back_and_locks_nothing(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = tables(backend).await else { return };
    let transaction = db.database.begin().await.expect("a transaction");
    transaction.execute_unprepared("INSERT INTO parent VALUES (1)").await.expect("inserted");
    drop(transaction);
    writes_durably(&db, 1).await;
}

#[tokio::test]
async fn a_call_that_is_cancelled_leaves_no_answer_to_the_next() {
    let Some(db) = tables(Backend::Postgres).await else { return };
    let slow = Statement::from_string(sea_orm::DbBackend::Postgres, "SELECT CAST(1 AS bigint), pg_sleep(0.2)");
    for _ in 0..20 {
        tokio::select! {
            biased;
            _ = db.database.read.query_one_raw(slow.clone()) => panic!("it is slow"),
            () = tokio::time::sleep(std::time::Duration::from_millis(2)) => {}
        }
        assert_eq!(number(&db.database.read, "SELECT CAST(2 AS bigint)").await, 2);
    }
}

#[tokio::test]
async fn a_session_that_became_read_only_is_replaced() {
    let Some(db) = tables(Backend::Postgres).await else { return };
    let insert = async || -> Result<(), DbErr> {
        db.database.write.execute_unprepared("INSERT INTO parent VALUES (1)").await.map(drop)
    };
    // As a primary that became a standby.
    db.database.write.execute_unprepared("SET default_transaction_read_only = on").await.expect("set");
    insert().await.expect_err("read-only");
    insert().await.expect("a new session writes");
}

#[tokio::test]
async fn no_connection_to_a_standby_is_used() {
    let Some(db) = tables(Backend::Postgres).await else { return };
    let url = format!("{}&options=-cdefault_transaction_read_only%3Don", db.url()).into();
    let standby = Database::connect(&url).await.expect("connections are made when needed");
    let error = standby.read.execute_unprepared("SELECT 1").await.expect_err("reads may be late for ever");
    assert!(error.to_string().contains("read-only"), "{error}");
}

#[tokio::test]
async fn readers_of_a_server_that_is_away_are_told_so_however_many_they_are() {
    let database = Database::connect(&"postgres://admin@127.0.0.1:9/store".into()).await.expect("a database");
    let readers = (0..600).map(|_| database.read.execute_unprepared("SELECT 1"));
    for failure in join_all(readers).await {
        assert!(failure.is_err_and(|error| error.to_string().contains("127.0.0.1:9")), "it is no overload");
    }
}
