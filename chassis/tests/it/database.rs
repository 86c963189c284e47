//! Connections to both databases.

use chassis::{
    clock,
    database::{DEFAULT_CONNECTIONS, Database, now},
};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::try_join_all;
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbErr, Statement, TryGetable, sea_query::Query};
use testkit::{Backend, TestDatabase};

/// The single value of `sql`.
async fn value<T: TryGetable>(connection: &impl ConnectionTrait, sql: &str) -> Result<T, DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await?.expect("a row");
    row.try_get_by_index(0)
}

#[rstest]
#[tokio::test]
async fn the_databases_clock_agrees_with_ours(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    let connection = &db.database.read;
    let mut select = Query::select();
    select.expr(now(connection.get_database_backend()));
    let row = connection.query_one(&select).await.expect("a statement").expect("a row");
    let time: DateTime<Utc> = row.try_get_by_index(0).expect("a time");
    let difference = time - clock::now();
    assert!(difference.abs() < TimeDelta::minutes(2), "{difference}");
}

#[tokio::test]
async fn every_sqlite_connection_is_durable_and_checks_foreign_keys() {
    let Some(db) = TestDatabase::empty(Backend::Sqlite).await else { return };
    for connection in [&db.database.read, &db.database.write] {
        let number = async |pragma| value::<i32>(connection, pragma).await.expect("a pragma");
        assert_eq!(value::<String>(connection, "PRAGMA journal_mode").await.expect("a pragma"), "wal");
        assert_eq!(number("PRAGMA synchronous").await, 2, "FULL");
        assert_eq!(number("PRAGMA foreign_keys").await, 1);
        assert_eq!(number("PRAGMA busy_timeout").await, 5000);
    }
}

#[rstest]
#[case("statement_timeout", "5s")]
#[case("lock_timeout", "2s")]
#[case("idle_in_transaction_session_timeout", "10s")]
#[tokio::test]
async fn every_postgresql_session_has_limits(#[case] setting: &str, #[case] limit: &str) {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let shown: String = value(&db.database.write, &format!("SHOW {setting}")).await.expect("a setting");
    assert_eq!(shown, limit);
}

/// Reads, then writes. On `SQLite` only a transaction that takes the write lock at its start may do so.
async fn count_up(database: Database) -> Result<(), DbErr> {
    for _ in 0..10 {
        let transaction = database.begin().await?;
        let count: i32 = value(&transaction, "SELECT number FROM counter").await?;
        transaction.execute_unprepared(&format!("UPDATE counter SET number = {}", count + 1)).await?;
        transaction.commit().await?;
    }
    Ok(())
}

async fn counter(connection: &impl ConnectionTrait) -> Result<i32, DbErr> {
    value(connection, "SELECT number FROM counter").await
}

#[tokio::test]
async fn writers_of_one_sqlite_file_wait_for_each_other() {
    let Some(db) = TestDatabase::empty(Backend::Sqlite).await else { return };
    let other_process = Database::connect(&db.url).await.expect("a database");
    let setup = "CREATE TABLE counter (number INTEGER NOT NULL); INSERT INTO counter VALUES (0)";
    db.database.write.execute_unprepared(setup).await.expect("a table");
    let databases = [&db.database, &db.database, &other_process, &other_process];
    try_join_all(databases.map(|database| count_up(database.clone()))).await.expect("none fails");
    assert_eq!(counter(&db.database.read).await.expect("a count"), 40);
}

#[tokio::test]
async fn readers_of_sqlite_do_not_wait_for_a_writer() {
    let Some(db) = TestDatabase::empty(Backend::Sqlite).await else { return };
    let setup = "CREATE TABLE counter (number INTEGER NOT NULL); INSERT INTO counter VALUES (0)";
    db.database.write.execute_unprepared(setup).await.expect("a table");
    let transaction = db.database.begin().await.expect("a transaction");
    transaction.execute_unprepared("UPDATE counter SET number = 1").await.expect("written");
    assert_eq!(counter(&db.database.read).await.expect("a count"), 0, "what was committed");
    transaction.commit().await.expect("committed");
    assert_eq!(counter(&db.database.read).await.expect("a count"), 1);
}

#[tokio::test]
async fn reads_leave_connections_to_writers_and_are_refused_when_too_many_wait() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let (database, nap) = (db.database.clone(), "SELECT 1 FROM pg_sleep(4)");
    // Opens the connections first, so that all sleeps start together.
    let open = (0..8).map(|_| value::<i32>(&database.read, "SELECT 1 FROM pg_sleep(0.3)"));
    try_join_all(open).await.expect("connections");
    let readers: Vec<_> = (0..DEFAULT_CONNECTIONS)
        .map(|_| {
            let read = database.read.clone();
            tokio::spawn(async move { value::<i32>(&read, nap).await })
        })
        .collect();
    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%FROM pg_sleep%' AND pid <> pg_backend_pid()
        AND datname = current_database() AND state = 'active'";
    let mut napping = 0;
    while napping < 8 {
        napping = value::<i64>(&database.write, asleep).await.expect("a connection is free");
    }
    assert_eq!(napping, 8, "half of all");
    let error = value::<i32>(&database.read, "SELECT 1").await.expect_err("all places are taken");
    assert!(matches!(error, DbErr::ConnectionAcquire(_)), "{error}");
    let read = try_join_all(readers).await.expect("no panic");
    assert_eq!(read.iter().filter(|read| read.is_ok()).count(), 8, "the others were refused: {read:?}");
    assert_eq!(value::<i32>(&database.read, "SELECT 1").await.expect("a place"), 1);
}

#[rstest]
#[tokio::test]
async fn counts_leave_places_to_other_reads(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    let long = "SELECT count(*) FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
        SELECT i FROM n) AS numbers";
    let (mut counts, one) = (Vec::new(), async || value::<i32>(&db.database.read, "SELECT 1").await);
    for _ in 0..20 {
        let count = db.database.count.clone();
        counts.push(tokio::spawn(async move { value::<i64>(&count, long).await }));
    }
    tokio::task::yield_now().await;
    assert_eq!(one().await.expect("a place"), 1);
    assert!(counts.iter().any(|count| !count.is_finished()), "two at once");
    counts.iter().for_each(tokio::task::JoinHandle::abort);
}
