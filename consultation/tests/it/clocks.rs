//! The database's clock: one that was ahead and is set right strands no payment.

use std::time::Duration;

use chassis::health::Heartbeat;
use chrono::{DateTime, TimeDelta, Utc};
use consultation::outbox::{
    Upkeep,
    store::{self, Due, Failure, Redriven, now_plus},
};
use entity::pending_payment::Column;
use rstest::rstest;
use sea_orm::{ConnectionTrait, sea_query::Query};
use testkit::{Backend, TestDatabase};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    finance_stub::FinanceStub,
    outbox::{LEASE, outbox, relay, row, rows, strand},
};

const YEAR: Duration = Duration::from_hours(365 * 24);
const MINUTE: Duration = Duration::from_mins(1);
/// Longer than any of these tests takes.
const TEST_TIMEOUT: Duration = Duration::from_secs(30);

async fn claim(db: &TestDatabase) -> Vec<Uuid> {
    let leases = store::claim(&db.database.write, Due::All, Upkeep::BATCH, LEASE).await.expect("a claim");
    leases.into_iter().map(|lease| lease.id).collect()
}

async fn rescue(db: &TestDatabase) -> u64 {
    store::rescue(&db.database.write, Upkeep::BATCH).await.expect("a statement")
}

#[rstest]
#[case::of_a_clock_that_was_a_year_ahead(YEAR, 1)]
#[case::of_a_clock_that_was_a_minute_ahead(LEASE + MINUTE, 1)]
#[case::of_a_clock_that_made_a_small_step(LEASE + LEASE / 2, 0)]
#[tokio::test]
async fn a_lease_longer_than_any_that_is_given_counts_as_ended(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] ahead: Duration,
    #[case] claimed: usize,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let ids = claim(&db).await;
    strand(&db, &ids, Column::LeaseUntil, ahead).await;
    assert_eq!(claim(&db).await.len(), claimed);
}

#[rstest]
#[case::never_refused_due_in_a_year(false, YEAR, 1)]
#[case::never_refused_due_in_a_minute(false, MINUTE, 1)]
#[case::never_refused_due_soon(false, Duration::from_secs(5), 0)]
#[case::refused_due_in_a_year(true, YEAR, 1)]
#[case::refused_due_in_two_hours(true, MINUTE * 120, 1)]
#[case::refused_due_within_an_hour(true, MINUTE * 59, 0)]
#[tokio::test]
async fn a_row_due_later_than_any_delay_is_due_now(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] is_refused: bool,
    #[case] ahead: Duration,
    #[case] rescued: u64,
) {
    let Some(db) = outbox(backend, 2).await else { return };
    let database = &db.database.write;
    let leases = store::claim(database, Due::All, 2, LEASE).await.expect("a claim");
    let failure = |lease| Failure { lease, delay: Duration::ZERO, error: "no".to_owned() };
    store::confirm(database, &[&leases[1]]).await.expect("confirmed");
    let write = if is_refused {
        store::park(database, &[failure(&leases[0])]).await
    } else {
        store::postpone(database, &[failure(&leases[0])]).await
    };
    assert_eq!(write.expect("written"), 1);
    strand(&db, &[leases[0].id, leases[1].id], Column::NextAttemptAt, ahead).await;
    let before = rows(&db).await;
    assert_eq!((rescue(&db).await, rescue(&db).await), (rescued, 0));
    assert_eq!(claim(&db).await, if rescued == 1 { vec![leases[0].id] } else { vec![] });
    let delivered = |rows: Vec<entity::pending_payment::Model>| rows.into_iter().find(|row| row.finished);
    assert_eq!(delivered(rows(&db).await), delivered(before), "what is delivered is left alone");
}

#[rstest]
#[tokio::test]
async fn stranded_rows_are_rescued_in_batches_by_replicas_at_once(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 30).await else { return };
    let ids: Vec<_> = rows(&db).await.iter().map(|row| row.id).collect();
    strand(&db, &ids, Column::NextAttemptAt, YEAR).await;
    let step = || store::rescue(&db.database.write, 10);
    let (one, other) = tokio::join!(step(), step());
    let mut rescued = [one.expect("a statement"), other.expect("a statement")].iter().sum::<u64>();
    assert!((10..=20).contains(&rescued), "{rescued}");
    while rescued < 30 {
        let step = step().await.expect("a statement");
        assert!((1..=10).contains(&step), "{step}");
        rescued += step;
    }
    assert_eq!(claim(&db).await.len(), 30);
}

#[rstest]
#[case::impossible(YEAR, false)]
#[case::possible(LEASE, true)]
#[tokio::test]
async fn a_retry_ends_an_impossible_lease_and_leaves_a_possible_one(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] ahead: Duration,
    #[case] is_held: bool,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let ids = claim(&db).await;
    strand(&db, &ids, Column::LeaseUntil, ahead).await;
    let held = row(&db).await;
    let redriven = store::redrive(&db.database.write, held.appointment_id, "olga").await.expect("a statement");
    assert_eq!(redriven, if is_held { Redriven::Processing } else { Redriven::Due });
    let retried = row(&db).await;
    assert_eq!((retried.processing, retried.lease_until.is_some()), (is_held, is_held));
    if is_held {
        assert_eq!(retried.lease_until, held.lease_until);
    }
}

#[rstest]
#[tokio::test]
async fn payments_that_a_clock_a_year_ahead_has_stranded_are_delivered(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 2).await else { return };
    let leases = store::claim(&db.database.write, Due::All, 1, LEASE).await.expect("a claim");
    let ids: Vec<_> = rows(&db).await.iter().map(|row| row.id).collect();
    strand(&db, &[leases[0].id], Column::LeaseUntil, YEAR).await;
    strand(&db, &ids, Column::NextAttemptAt, YEAR).await;

    let finance = FinanceStub::start([]).await;
    let shutdown = CancellationToken::new();
    let heartbeat = Heartbeat::new("outbox upkeep");
    let upkeep = Upkeep { database: db.database.clone(), retention: None, heartbeat, meter: None };
    let mut relay = relay(&db, &finance);
    relay.policy.poll_interval = Duration::from_millis(10);
    let upkeep = tokio::spawn(upkeep.run(shutdown.clone()));
    let running = tokio::spawn(relay.run(shutdown.clone()));
    let delivered = async {
        while finance.requests().concat().len() < 2 {
            finance.arrived().await;
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, delivered).await.expect("they are still stranded");
    shutdown.cancel();
    running.await.expect("it ends");
    upkeep.await.expect("it ends");
    assert!(rows(&db).await.iter().all(|row| row.finished));
}

#[rstest]
#[tokio::test]
async fn an_offset_counts_to_the_millisecond(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    let connection = &db.database.read;
    let after = |milliseconds| now_plus(connection.get_database_backend(), Duration::from_millis(milliseconds));
    let mut select = Query::select();
    select.expr(after(1_234_567)).expr(after(0));
    let row = connection.query_one(&select).await.expect("a statement").expect("a row");
    let times: [DateTime<Utc>; 2] = [0, 1].map(|index| row.try_get_by_index(index).expect("a time"));
    // PostgreSQL's clock goes on while the statement runs.
    let difference = (times[0] - times[1] - TimeDelta::milliseconds(1_234_567)).abs();
    assert!(difference < TimeDelta::milliseconds(100), "{difference}");
}
