//! The relay's conformance suite: claims, leases and fencing, the same on both databases.

use consultation::outbox::store::{self, Due, Failure, Lease};
use entity::pending_payment::Column;
use futures_util::future::join_all;
use rstest::rstest;
use testkit::{Backend, TestDatabase};
use tokio_util::sync::CancellationToken;

use crate::{
    finance_stub::{FinanceStub, Script},
    outbox::{LEASE, come, outbox, relay, row, rows, tick},
};

async fn claim(db: &TestDatabase, limit: u64) -> Vec<Lease> {
    store::claim(&db.database.write, Due::All, limit, LEASE).await.expect("a claim")
}

fn late(lease: &Lease) -> Failure<'_> {
    Failure { lease, delay: LEASE, error: "late".to_owned() }
}

#[rstest]
#[tokio::test]
async fn a_claim_takes_no_more_than_its_limit_and_counts_a_try(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 5).await else { return };
    assert_eq!(claim(&db, 3).await.len(), 3);
    let rows = rows(&db).await;
    let mut claimed: Vec<_> = rows.iter().map(|row| (row.processing, row.tries, row.claim_seq)).collect();
    claimed.sort_unstable();
    assert_eq!(claimed, [(false, 0, 0), (false, 0, 0), (true, 1, 1), (true, 1, 1), (true, 1, 1)]);
    assert!(rows.iter().all(|row| row.lease_until.is_some() == row.processing));
}

#[rstest]
#[tokio::test]
async fn simultaneous_claims_never_share_a_row(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 300).await else { return };
    let claims = join_all((0..40).map(|_| claim(&db, 10))).await;
    let mut claimed: Vec<_> = claims.iter().flatten().map(|lease| lease.id).collect();
    let mut rest = claim(&db, 300).await.iter().map(|lease| lease.id).collect();
    claimed.append(&mut rest);
    claimed.sort_unstable();
    let all = claimed.len();
    claimed.dedup();
    assert_eq!((all, claimed.len()), (300, 300));
}

#[rstest]
#[tokio::test]
async fn a_leased_row_is_left_alone_until_its_lease_ends(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let first = claim(&db, 1).await.remove(0);
    assert_eq!(claim(&db, 1).await.len(), 0);
    come(&db, Column::LeaseUntil).await;
    let second = claim(&db, 1).await.remove(0);
    assert_eq!((second.id, second.claim_seq), (first.id, first.claim_seq + 1));
}

#[rstest]
#[tokio::test]
async fn a_stale_lease_changes_nothing(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 1).await else { return };
    let stale = claim(&db, 1).await.remove(0);
    come(&db, Column::LeaseUntil).await;
    claim(&db, 1).await;
    let held = row(&db).await;

    let database = &db.database.write;
    let late = [late(&stale)];
    assert_eq!(store::postpone(database, &late).await.expect("a statement"), 0);
    assert_eq!(store::park(database, &late).await.expect("a statement"), 0);
    assert_eq!(store::release(database, &[&stale]).await.expect("a statement"), 0);
    assert_eq!(row(&db).await, held);
}

#[rstest]
#[tokio::test]
async fn a_confirmed_payment_is_finished_whoever_says_it_and_stays_so(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let stale = claim(&db, 1).await.remove(0);
    come(&db, Column::LeaseUntil).await;
    let holder = claim(&db, 1).await.remove(0);

    let database = &db.database.write;
    assert_eq!(store::confirm(database, &[&stale]).await.expect("a statement"), 1);
    assert_eq!(store::confirm(database, &[&holder]).await.expect("a statement"), 0, "it is no news");
    assert_eq!(store::postpone(database, &[late(&holder)]).await.expect("a statement"), 0);
    let row = row(&db).await;
    assert!(row.finished && !row.processing && row.finished_at.is_some());
    come(&db, Column::NextAttemptAt).await;
    assert_eq!(claim(&db, 1).await.len(), 0);
}

#[rstest]
#[tokio::test]
async fn a_released_row_is_due_with_its_try_given_back(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 1).await else { return };
    let lease = claim(&db, 1).await.remove(0);
    assert_eq!(store::release(&db.database.write, &[&lease]).await.expect("a statement"), 1);
    assert_eq!(row(&db).await.tries, 0);
    assert_eq!(claim(&db, 1).await.remove(0).claim_seq, lease.claim_seq + 1);
}

#[rstest]
#[tokio::test]
async fn two_relays_on_one_table_send_each_payment_once(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 60).await else { return };
    let finance = FinanceStub::start([]).await;
    let (one, other) = (relay(&db, &finance), relay(&db, &finance));
    join_all([tick(&one), tick(&other), tick(&one), tick(&other)]).await;
    while tick(&one).await.claimed + tick(&other).await.claimed > 0 {}

    let mut sent: Vec<_> = finance.requests().concat().iter().map(|input| input["appointmentId"].to_string()).collect();
    sent.sort_unstable();
    let all = sent.len();
    sent.dedup();
    assert_eq!((all, sent.len()), (60, 60));
    assert!(rows(&db).await.iter().all(|row| row.finished && row.tries == 1));
}

#[rstest]
#[tokio::test]
async fn after_shutdown_nothing_is_sent_that_is_not_on_its_way(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 3).await else { return };
    let finance = FinanceStub::start([]).await;
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    let tick = relay(&db, &finance).tick(Due::All, &shutdown).await.expect("a tick");
    assert_eq!((tick.claimed, tick.released), (3, 3));
    assert_eq!(finance.requests().len(), 0);
    assert!(rows(&db).await.iter().all(|row| !row.processing && row.tries == 0));
}

#[rstest]
#[tokio::test]
async fn a_drain_finishes_what_is_on_its_way(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 1).await else { return };
    let finance = FinanceStub::start([Script::Hold]).await;
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(relay(&db, &finance).run(shutdown.clone()));
    finance.arrived().await;
    shutdown.cancel();
    finance.let_go();
    running.await.expect("it ends");
    assert!(row(&db).await.finished);
}
