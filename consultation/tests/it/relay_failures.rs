//! Failures of finance, and responses that are no success.

use entity::pending_payment::Column;
use rstest::rstest;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::json;
use testkit::Backend;

use consultation::{
    config::FinanceTarget,
    finance_client::FinanceClient,
    outbox::{
        Tick,
        store::{self, Redriven},
    },
};

use crate::{
    finance_stub::{FinanceStub, Script},
    outbox::{come, currency, outbox, relay, row, rows, tick},
};

#[rstest]
#[tokio::test]
async fn a_payment_is_sent_as_it_is_stored_and_then_finished(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let finance = FinanceStub::start([]).await;
    assert_eq!(tick(&relay(&db, &finance)).await, Tick { claimed: 1, delivered: 1, ..Tick::default() });
    let row = row(&db).await;
    let sent = json!({ "appointmentId": row.appointment_id, "totalPrice": "999999999.99" });
    assert_eq!(finance.requests(), [[sent]]);
    assert!(row.finished && row.tries == 1 && row.last_error.is_none());
    assert_eq!(tick(&relay(&db, &finance)).await, Tick::default(), "nothing is left");
}

#[rstest]
#[case::unavailable(Script::Answer(503, String::new()), "503")]
#[case::unauthorised(Script::Answer(401, String::new()), "check the user name and password")]
#[case::forbidden(Script::Answer(403, String::new()), "check that finance trusts consultation's documents")]
#[case::an_older_finance(Script::Answer(400, String::new()), "not older than consultation")]
#[case::no_such_path(Script::Answer(404, String::new()), "check the URL")]
#[case::a_redirect(Script::Answer(302, String::new()), "302")]
#[case::html(Script::Answer(200, "<html>".to_owned()), "not an answer of finance")]
#[case::half_an_answer(Script::Answer(200, "{\"data\":{\"recordPay".to_owned()), "not an answer of finance")]
#[case::errors(Script::Answer(200, json!({ "data": null, "errors": [{ "message": "boom" }] }).to_string()), "boom")]
#[case::nothing(Script::Answer(200, json!({ "data": { "recordPayments": null } }).to_string()), "does not answer")]
#[case::too_long(Script::Answer(200, "x".repeat(65 * 1024)), "over 64 kB")]
#[case::too_few(Script::Answer(200, json!({ "data": { "recordPayments": { "results": [], "userErrors": [] } } }).to_string()), "does not answer")]
#[case::a_fault(Script::FailAtFirst, "boom")]
#[case::another_amount(Script::MistakeFirst, "another payment")]
#[case::another_payment(Script::Answer(200, json!({ "data": { "recordPayments": { "userErrors": [], "results": [{ "userErrors": [], "payment":
    { "appointmentId": "ea959b03-5577-45c9-b9f7-a45d3e77ce82", "totalPrice": "999999999.99" } }] } } }).to_string()), "another payment")]
#[tokio::test]
async fn what_is_not_a_checked_answer_is_a_failure_of_the_destination(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] answer: Script,
    #[case] error: &str,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let finance = FinanceStub::start([answer]).await;
    let relay = relay(&db, &finance);
    assert_eq!(tick(&relay).await, Tick { claimed: 1, postponed: 1, ..Tick::default() });
    let failed = row(&db).await;
    assert!(!failed.finished && !failed.processing && failed.rejections == 0 && failed.parked_at.is_none());
    assert!(failed.last_error.as_deref().is_some_and(|last| last.contains(error)), "{:?}", failed.last_error);
    let delay = failed.next_attempt_at - failed.created_at;
    assert!((3..60).contains(&delay.num_seconds()), "due again in about 5 s, not {delay}");

    assert_eq!(tick(&relay).await.claimed, 0, "not before");
    come(&db, Column::NextAttemptAt).await;
    // Another relay: a wrong setting has opened the breaker of the first.
    assert_eq!(tick(&self::relay(&db, &finance)).await.delivered, 1);
    let delivered = row(&db).await;
    assert_eq!((delivered.tries, delivered.last_error), (2, None));
}

#[rstest]
#[tokio::test]
async fn a_finance_that_is_down_costs_latency_only(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 10).await else { return };
    let finance = FinanceStub::start([]).await;
    let mut relay_to_nobody = relay(&db, &finance);
    let nobody = "http://127.0.0.1:9/graphql".parse().expect("a URL");
    let limit = relay_to_nobody.policy.request_timeout;
    relay_to_nobody.finance =
        FinanceClient::new(FinanceTarget::in_development(nobody), currency(), limit).expect("a client");
    for _ in 0..3 {
        assert_eq!(tick(&relay_to_nobody).await.postponed, 10);
        come(&db, Column::NextAttemptAt).await;
    }
    assert_eq!(tick(&relay(&db, &finance)).await.delivered, 10);
    assert!(rows(&db).await.iter().all(|row| row.finished && row.tries == 4));
}

#[rstest]
#[tokio::test]
async fn a_refused_payment_is_parked_and_delays_nobody(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 3).await else { return };
    let finance = FinanceStub::start([Script::RefuseFirst]).await;
    let relay = relay(&db, &finance);
    assert_eq!(tick(&relay).await, Tick { claimed: 3, delivered: 2, parked: 1, ..Tick::default() });
    let parked = rows(&db).await.into_iter().find(|row| !row.finished).expect("the refused one");
    assert_eq!(parked.rejections, 1);
    assert!(parked.parked_at.is_some());
    assert!(parked.last_error.as_deref().is_some_and(|error| error.contains("PAYMENT_CONFLICT")));

    let database = &db.database.write;
    assert_eq!(store::redrive(database, parked.appointment_id, "olga").await.expect("a statement"), Redriven::Due);
    assert_eq!(tick(&relay).await.delivered, 1, "an operator may send it again at once");
    let finished = store::redrive(database, parked.appointment_id, "olga").await.expect("a statement");
    assert_eq!(finished, Redriven::NothingToSend);
}

#[rstest]
#[tokio::test]
async fn a_parked_payment_keeps_the_time_it_was_parked_first(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let finance = FinanceStub::start([Script::RefuseFirst, Script::RefuseFirst]).await;
    let relay = relay(&db, &finance);
    tick(&relay).await;
    let first = row(&db).await;
    come(&db, Column::NextAttemptAt).await;
    tick(&relay).await;
    let second = row(&db).await;
    assert_eq!((second.rejections, second.parked_at), (2, first.parked_at));
}

#[rstest]
#[tokio::test]
async fn a_parked_payment_keeps_its_refusal_while_finance_is_down(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let finance = FinanceStub::start([Script::RefuseFirst, Script::Answer(503, String::new())]).await;
    let relay = relay(&db, &finance);
    tick(&relay).await;
    let refused = row(&db).await;
    come(&db, Column::NextAttemptAt).await;
    assert_eq!(tick(&relay).await.postponed, 1);
    let postponed = row(&db).await;
    assert_eq!((postponed.last_error, postponed.tries), (refused.last_error, 2));
}

#[rstest]
#[tokio::test]
async fn the_relay_survives_a_database_that_fails(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 1).await else { return };
    let finance = FinanceStub::start([]).await;
    let mut relay = relay(&db, &finance);
    relay.policy.poll_interval = std::time::Duration::from_millis(1);
    let database = &db.database.write;
    database.execute_unprepared("ALTER TABLE pending_payment RENAME TO gone").await.expect("renamed");
    let shutdown = tokio_util::sync::CancellationToken::new();
    let failing = relay.tick(store::Due::All, &shutdown).await;
    assert!(failing.is_err());
    let running = tokio::spawn(relay.run(shutdown.clone()));
    database.execute_unprepared("ALTER TABLE gone RENAME TO pending_payment").await.expect("renamed back");
    finance.arrived().await;
    shutdown.cancel();
    running.await.expect("it ends");
    let all = entity::pending_payment::Entity::find().all(&db.database.read).await.expect("rows");
    assert!(all.iter().all(|row| row.finished));
}
