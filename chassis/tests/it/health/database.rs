//! Databases that are down, read-only, locked, or have another clock.

use chassis::{database::Database, health};
use sea_orm::ConnectionTrait;
use testkit::{Backend, TestDatabase};
use tokio_util::sync::CancellationToken;

use super::{NoMigrations, ask, get, monitor};

#[tokio::test]
async fn a_service_whose_database_is_gone_is_alive_and_not_ready() {
    let Some(mut db) = TestDatabase::empty(Backend::Postgres).await else { return };
    let nobody = "postgres://nobody@127.0.0.1:1/nothing".into();
    db.database = Database::connect(&nobody).await.expect("connections are made when needed");
    let shutdown = CancellationToken::new();
    assert_eq!(ask("/livez", &db, &shutdown).await.0, 200);
    let (status, missing) = ask("/readyz", &db, &shutdown).await;
    assert_eq!((status, missing.as_str()), (503, "the database cannot be reached"));
}

#[tokio::test]
async fn a_service_on_a_standby_is_not_ready() {
    let Some(mut db) = TestDatabase::empty(Backend::Postgres).await else { return };
    // As on a standby, for every transaction.
    let read_only = "DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
    END $$";
    db.database.write.execute_unprepared(read_only).await.expect("set");
    db.database = Database::connect(&db.url).await.expect("a database");
    assert_eq!(ask("/readyz", &db, &CancellationToken::new()).await, (503, "the database is read-only".to_owned()));
}

#[tokio::test]
async fn a_service_whose_file_cannot_be_written_is_not_ready_until_it_can() {
    let Some(db) = TestDatabase::empty(Backend::Sqlite).await else { return };
    let mut monitor = monitor::<NoMigrations>(&db);
    let router = health::router(monitor.readiness.clone(), CancellationToken::new(), Vec::new());
    // Another process holds the write lock for longer than any wait.
    let other = Database::connect(&db.url).await.expect("a database");
    let lock = other.begin().await.expect("locked");
    monitor.check().await;
    let (status, missing) = get("/readyz", router.clone()).await;
    assert_eq!(status, 503);
    assert!(missing.starts_with("the database cannot be written"), "{missing}");
    lock.rollback().await.expect("unlocked");
    monitor.check().await;
    assert_eq!(get("/readyz", router).await, (200, "ok".to_owned()));
}

#[tokio::test]
async fn a_service_whose_clock_differs_from_the_databases_is_not_ready() {
    let Some(mut db) = TestDatabase::empty(Backend::Postgres).await else { return };
    // Instead of a wrong clock here, a function hides PostgreSQL's own clock and is an hour ahead.
    let ahead = "CREATE SCHEMA ahead;
        CREATE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql
        AS $$ SELECT pg_catalog.clock_timestamp() + interval '1 hour' $$";
    db.database.write.execute_unprepared(ahead).await.expect("a function");
    let url = format!("{}&options=-csearch_path%3Dahead,pg_catalog,public", db.url()).into();
    db.database = Database::connect(&url).await.expect("a database");
    let (status, missing) = ask("/readyz", &db, &CancellationToken::new()).await;
    assert_eq!(status, 503);
    assert!(missing.starts_with("this machine's clock is 36") && missing.contains("behind"), "{missing}");
}
