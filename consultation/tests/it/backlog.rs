//! The backlog that metrics show.

use consultation::outbox::store::{self, Backlog, Due};
use entity::pending_payment::Column;
use rstest::rstest;
use testkit::{Backend, TestDatabase};

use crate::{
    finance_stub::{FinanceStub, Script},
    outbox::{LEASE, come, outbox, relay, tick},
    reconcile::age,
};

/// The backlog after one round with this finance, two hours after the payment was made.
async fn after_two_hours(backend: Backend, finance: Script) -> Option<(TestDatabase, Backlog)> {
    let db = outbox(backend, 1).await?;
    let finance = FinanceStub::start([finance]).await;
    tick(&relay(&db, &finance)).await;
    age(&db).await;
    let backlog = store::backlog(&db.database.read).await.expect("a backlog");
    Some((db, backlog))
}

#[rstest]
#[tokio::test]
async fn a_postponed_payment_has_its_age_though_it_is_not_due(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let unavailable = Script::Answer(503, String::new());
    let Some((_db, backlog)) = after_two_hours(backend, unavailable).await else { return };
    assert_eq!((backlog.pending, backlog.processing, backlog.parked), (1, 0, 0));
    assert!(backlog.oldest_seconds.is_some_and(|age| (7_200.0..7_300.0).contains(&age)), "{backlog:?}");
}

#[rstest]
#[tokio::test]
async fn a_parked_payment_is_counted_apart_and_has_no_age(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((_db, backlog)) = after_two_hours(backend, Script::RefuseFirst).await else { return };
    assert_eq!(backlog, Backlog { parked: 1, ..Backlog::default() });
}

#[rstest]
#[tokio::test]
async fn a_parked_payment_that_is_being_sent_is_counted_as_that_alone(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, _)) = after_two_hours(backend, Script::RefuseFirst).await else { return };
    come(&db, Column::NextAttemptAt).await;
    assert_eq!(store::claim(&db.database.write, Due::All, 1, LEASE).await.expect("a claim").len(), 1);
    let backlog = store::backlog(&db.database.read).await.expect("a backlog");
    assert_eq!(backlog, Backlog { processing: 1, ..Backlog::default() });
}
