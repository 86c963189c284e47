//! What rows and the log keep of finance's errors, which may be of any length and content.

use entity::pending_payment::Column;
use rstest::rstest;
use serde_json::json;
use testkit::{Backend, Log};

use consultation::outbox::Tick;

use crate::{
    finance_stub::{FinanceStub, Script},
    outbox::{come, outbox, relay, row, tick},
};

#[rstest]
#[tokio::test]
async fn an_undelivered_row_keeps_at_most_500_characters_of_an_error(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let long = json!({ "errors": [{ "message": "\u{e7}".repeat(2000) }] }).to_string();
    let finance = FinanceStub::start([Script::Answer(200, long)]).await;
    tick(&relay(&db, &finance)).await;
    assert_eq!(row(&db).await.last_error.map(|error| error.chars().count()), Some(500));
}

#[rstest]
#[tokio::test]
async fn an_error_that_the_database_cannot_hold_keeps_no_row_from_being_postponed(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let hostile = json!({ "errors": [{ "message": "a\u{0}b\nc" }] }).to_string();
    let finance = FinanceStub::start([Script::Answer(200, hostile)]).await;
    assert_eq!(tick(&relay(&db, &finance)).await.postponed, 1);
    assert_eq!(row(&db).await.last_error.as_deref(), Some("finance failed: a b c"));
}

#[tokio::test]
async fn the_log_quotes_no_more_of_an_answer_than_a_row_keeps() {
    let Some(db) = outbox(Backend::Sqlite, 2).await else { return };
    let text = "x".repeat(10_000);
    let failure = json!({ "errors": [{ "message": text }] });
    let refusal = json!({ "__typename": "PaymentConflict", "code": "PAYMENT_CONFLICT", "message": text });
    let results = [json!({ "payment": null, "userErrors": [refusal] }), json!(null)];
    let results = json!({ "results": results, "userErrors": [] });
    let each = json!({ "data": { "recordPayments": results }, "errors": [{ "message": text }] });
    let answers = [each, failure].map(|answer| Script::Answer(200, answer.to_string()));
    let finance = FinanceStub::start(answers).await;
    let (relay, log) = (relay(&db, &finance), Log::capture());
    assert_eq!(tick(&relay).await, Tick { claimed: 2, postponed: 1, parked: 1, ..Tick::default() });
    come(&db, Column::NextAttemptAt).await;
    assert_eq!(tick(&relay).await, Tick { claimed: 2, postponed: 2, ..Tick::default() });
    let log = log.text();
    for message in ["it is parked", "it is sent again", "the payments are sent again"] {
        let line = log.lines().find(|line| line.contains(message)).unwrap_or_else(|| panic!("{message}: {log}"));
        assert!((400..1_000).contains(&line.len()), "{} characters", line.len());
    }
}
