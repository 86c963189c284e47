//! The age of what waits while the database is away.

use chassis::metrics::Metrics;
use migration::consultation::Migrator;
use rstest::rstest;
use testkit::{Backend, TestDatabase};
use tokio::time::timeout;

use super::*;
use crate::outbox::store::Backlog;

/// Nobody listens there: each statement fails after 3 s.
const AWAY: &str = "postgres://clinic:secret@127.0.0.1:1/clinic";

#[tokio::test(start_paused = true)]
async fn what_waits_gets_older_by_the_clock_however_long_the_database_takes_to_fail() {
    let database = Database::connect(&AWAY.into()).await.expect("a URL");
    let metrics = Metrics::new("consultation");
    let meter = Meter::registered(&metrics);
    meter.backlog(&Backlog { pending: 1, oldest_seconds: Some(40.0), ..Backlog::default() });
    let upkeep =
        Upkeep { database, retention: None, heartbeat: Heartbeat::new("outbox upkeep"), meter: Some(meter.clone()) };
    let outage = Duration::from_mins(5);
    timeout(outage, upkeep.run(CancellationToken::new())).await.expect_err("it goes on");

    let text = metrics.text();
    let age = text.lines().find_map(|line| line.strip_prefix("outbox_oldest_pending_age_seconds "));
    let age: f64 = age.and_then(|age| age.parse().ok()).expect("an age");
    // The last count may be some seconds old.
    assert!((325.0..=340.0).contains(&age), "{age}");
}

/// SQLite has one writer: a count of a large backlog would hold up starts and finishes.
#[rstest]
#[tokio::test]
async fn a_count_of_the_backlog_keeps_no_write_waiting(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    db.database.migrate::<Migrator>().await.expect("migrations");
    let metrics = Metrics::new("consultation");
    let meter = Meter::registered(&metrics);
    let (database, heartbeat) = (db.database.clone(), Heartbeat::new("outbox upkeep"));
    let upkeep = Upkeep { database, retention: None, heartbeat, meter: None };
    let writing = db.database.begin().await.expect("the only writer of SQLite");
    meter.backlog(&Backlog { pending: 1, oldest_seconds: Some(40.0), ..Backlog::default() });
    timeout(Duration::from_secs(10), upkeep.count(&meter, Duration::ZERO)).await.expect("it does not wait");
    assert!(metrics.text().contains("outbox_oldest_pending_age_seconds 0"), "it has counted");
    writing.rollback().await.expect("free again");
}
