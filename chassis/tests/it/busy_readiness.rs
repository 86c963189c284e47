//! Readiness while requests hold every connection.

use std::time::Duration;

use chassis::{
    database::{Connections, Database},
    health,
};
use rstest::rstest;
use sea_orm::ConnectionTrait;
use testkit::{Backend, TestDatabase};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::health::{NoMigrations, get, monitor};

const CLOCK_IS_SET: &str = "CREATE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql
    AS $$ SELECT pg_catalog.clock_timestamp() + (SELECT count(*) FROM ahead.broken) * interval '1 hour' $$";
const CANNOT_WRITE: &str =
    "CREATE FUNCTION ahead.pg_logical_emit_message(boolean, text, text) RETURNS int LANGUAGE plpgsql
    AS $$ BEGIN IF EXISTS (SELECT FROM ahead.broken) THEN RAISE EXCEPTION 'the disk is full'; END IF; RETURN 1; END $$";
/// A commit without its standby.
const WRITE_HANGS: &str =
    "CREATE FUNCTION ahead.pg_logical_emit_message(boolean, text, text) RETURNS int LANGUAGE plpgsql
    AS $$ BEGIN IF EXISTS (SELECT FROM ahead.broken) THEN PERFORM pg_sleep(4.8); END IF; RETURN 1; END $$";
/// From then on the function misbehaves.
const BREAK: &str = "INSERT INTO ahead.broken VALUES (true)";
/// At most a client's wait for its answer.
const REPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// A database with `function` in place of PostgreSQL's own, and a handle to break it.
async fn breakable(connections: usize, function: &str) -> Option<(TestDatabase, Connections)> {
    let mut db = TestDatabase::empty(Backend::Postgres).await?;
    let plain = db.database.write.clone();
    for sql in ["CREATE SCHEMA ahead", "CREATE TABLE ahead.broken (is_broken boolean)", function] {
        plain.execute_unprepared(sql).await.expect("made");
    }
    let url = format!("{}&options=-csearch_path%3Dahead,pg_catalog,public", db.url()).into();
    db.database = Database::open(&url, connections).await.expect("a database");
    Some((db, plain))
}

/// `callers` that each send the statement repeatedly.
fn load(database: &Connections, callers: usize, sql: &'static str) -> JoinSet<()> {
    let mut load = JoinSet::new();
    for _ in 0..callers {
        let database = database.clone();
        load.spawn(async move {
            loop {
                drop(database.execute_unprepared(sql).await);
            }
        });
    }
    load
}

#[rstest]
#[case::whose_clock_is_set(CLOCK_IS_SET)]
#[case::that_cannot_write(CANNOT_WRITE)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_busy_service_is_not_ready(#[case] function: &str, #[values(0, 12)] callers: usize) {
    let Some((db, plain)) = breakable(4, function).await else { return };
    let mut monitor = monitor::<NoMigrations>(&db);
    let router = health::router(monitor.readiness.clone(), CancellationToken::new(), Vec::new());
    monitor.check().await;
    assert_eq!(get("/readyz", router.clone()).await.0, 200);
    let _load = load(&db.database.write, callers, "SELECT pg_sleep(0.02)");
    plain.execute_unprepared(BREAK).await.expect("broken");
    // One check in three writes.
    for _ in 0..3 {
        monitor.check().await;
    }
    assert_eq!(get("/readyz", router).await.0, 503);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_service_all_of_whose_connections_hang_says_so() {
    let Some((db, plain)) = breakable(2, WRITE_HANGS).await else { return };
    let mut monitor = monitor::<NoMigrations>(&db);
    let router = health::router(monitor.readiness.clone(), CancellationToken::new(), Vec::new());
    monitor.check().await;
    plain.execute_unprepared(BREAK).await.expect("broken");
    let _load = load(&db.database.write, 4, "SELECT pg_logical_emit_message(true, 'a', 'b')");
    let shutdown = CancellationToken::new();
    tokio::spawn(monitor.run(shutdown.clone()));
    let told = timeout(REPORT_TIMEOUT, async {
        while get("/readyz", router.clone()).await.0 != 503 {
            sleep(Duration::from_millis(50)).await;
        }
    });
    let told = told.await;
    shutdown.cancel();
    told.expect("a failed probe");
}
