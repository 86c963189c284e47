//! Batches: the size of a request, one bad row among others, and the permits of the circuit breaker.

use entity::pending_payment::{Column, Entity};
use futures_util::StreamExt;
use rstest::rstest;
use sea_orm::{EntityTrait, QueryOrder, QuerySelect};
use serde_json::json;
use testkit::{Backend, TestDatabase};
use tokio_util::sync::CancellationToken;

use consultation::outbox::Tick;

use crate::{
    finance_stub::{FinanceStub, Script},
    outbox::{come, outbox, relay, rows, tick},
};

fn unavailable() -> Script {
    Script::Answer(503, String::new())
}

async fn finished(db: &TestDatabase) -> usize {
    rows(db).await.iter().filter(|row| row.finished).count()
}

#[rstest]
#[tokio::test]
async fn one_request_carries_up_to_100_payments(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 250).await else { return };
    let finance = FinanceStub::start([]).await;
    let relay = relay(&db, &finance);
    let full = Tick { claimed: 100, delivered: 100, has_more: true, ..Tick::default() };
    assert_eq!([tick(&relay).await, tick(&relay).await], [full, full]);
    assert_eq!(tick(&relay).await, Tick { claimed: 50, delivered: 50, ..Tick::default() });
    assert_eq!(finance.sizes(), [100, 100, 50]);
    assert!(rows(&db).await.iter().all(|row| row.finished && row.tries == 1));
}

#[rstest]
#[case::refused(Script::RefuseFirst, Tick { claimed: 40, delivered: 39, parked: 1, ..Tick::default() })]
#[case::failed(Script::FailAtFirst, Tick { claimed: 40, delivered: 39, postponed: 1, ..Tick::default() })]
#[case::mistaken(Script::MistakeFirst, Tick { claimed: 40, delivered: 39, postponed: 1, ..Tick::default() })]
#[tokio::test]
async fn one_bad_payment_of_a_request_costs_the_others_nothing(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] script: Script,
    #[case] expected: Tick,
) {
    let Some(db) = outbox(backend, 40).await else { return };
    let finance = FinanceStub::start([script]).await;
    assert_eq!(tick(&relay(&db, &finance)).await, expected);
    assert_eq!(finished(&db).await, 39);
}

#[rstest]
#[tokio::test]
async fn an_answer_for_two_does_not_count_for_one(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 2).await else { return };
    let refused = json!({ "payment": null, "userErrors": [{ "__typename": "InvalidInput", "code": "INVALID_INPUT", "message": "no" }] });
    let both = json!({ "data": { "recordPayments": { "results": [refused, refused], "userErrors": [] } } }).to_string();
    let finance = FinanceStub::start([Script::RefuseFirst, Script::Answer(200, both)]).await;
    let relay = relay(&db, &finance);
    assert_eq!(tick(&relay).await, Tick { claimed: 2, delivered: 1, parked: 1, ..Tick::default() });
    come(&db, Column::NextAttemptAt).await;
    tick(&relay).await;
    let mut rejections: Vec<_> = rows(&db).await.iter().map(|row| row.rejections).collect();
    rejections.sort_unstable();
    assert_eq!(rejections, [0, 1]);
}

#[rstest]
#[tokio::test]
async fn each_failure_halves_what_the_next_request_carries(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 300).await else { return };
    let finance = FinanceStub::start([unavailable(), unavailable(), unavailable()]).await;
    let relay = relay(&db, &finance);
    for _ in 0..5 {
        tick(&relay).await;
    }
    assert_eq!(finance.sizes(), [100, 50, 25, 12, 24]);
}

#[rstest]
#[tokio::test]
async fn after_five_failures_in_a_row_finance_is_not_called(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 300).await else { return };
    let finance = FinanceStub::start(vec![unavailable(); 5]).await;
    let relay = relay(&db, &finance);
    for _ in 0..8 {
        tick(&relay).await;
    }
    assert_eq!(finance.sizes().len(), 5);
    assert_eq!(tick(&relay).await, Tick::default(), "nothing is claimed that cannot be sent");
}

#[rstest]
#[case::told_to_wait(Script::RetryAfter("30"))]
#[case::wrong_password(Script::Answer(401, String::new()))]
#[case::forbidden(Script::Answer(403, String::new()))]
#[case::wrong_url(Script::Answer(404, String::new()))]
#[tokio::test]
async fn one_answer_that_says_so_stops_the_calls(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] answer: Script,
) {
    let Some(db) = outbox(backend, 300).await else { return };
    let finance = FinanceStub::start([answer]).await;
    let relay = relay(&db, &finance);
    assert_eq!(tick(&relay).await.postponed, 100);
    assert_eq!(tick(&relay).await, Tick::default());
    assert_eq!(finance.sizes(), [100]);
}

#[rstest]
#[tokio::test]
async fn refusals_never_stop_the_calls(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 1).await else { return };
    let finance = FinanceStub::start(vec![Script::RefuseFirst; 8]).await;
    let relay = relay(&db, &finance);
    for _ in 0..8 {
        assert_eq!(tick(&relay).await.parked, 1);
        come(&db, Column::NextAttemptAt).await;
    }
    assert_eq!(tick(&relay).await.delivered, 1);
}

#[rstest]
#[tokio::test]
async fn a_request_that_hangs_does_not_hold_up_the_others(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 300).await else { return };
    let finance = FinanceStub::start([Script::Hold]).await;
    let (relay, shutdown) = (relay(&db, &finance), CancellationToken::new());
    let written = relay.changes.subscribe().take(200);
    let running = tokio::spawn(relay.run(shutdown.clone()));
    written.collect::<Vec<_>>().await;
    assert_eq!(finished(&db).await, 200);
    finance.let_go();
    shutdown.cancel();
    running.await.expect("it ends");
    assert_eq!(finished(&db).await, 300);
}

#[tokio::test]
async fn a_row_that_somebody_else_has_locked_keeps_no_other_from_being_confirmed() {
    let Some(db) = outbox(Backend::Postgres, 40).await else { return };
    let finance = FinanceStub::start([Script::Hold]).await;
    let relay = relay(&db, &finance);
    let running = tokio::spawn(async move { tick(&relay).await });
    finance.arrived().await;
    let operator = db.database.begin().await.expect("a transaction");
    let one = Entity::find().order_by_asc(Column::Id).lock_exclusive();
    one.one(&operator).await.expect("locked").expect("a row");
    finance.let_go();
    while finished(&db).await < 39 {
        assert!(!running.is_finished(), "it waits for the last");
        tokio::task::yield_now().await;
    }
    operator.rollback().await.expect("unlocked");
    assert_eq!(running.await.expect("a tick").delivered, 40);
}
