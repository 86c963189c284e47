//! A settled payment that finance has lost and recorded with another amount can be settled again.

use std::sync::{Arc, Mutex};

use chassis::changes::Changes;
use consultation::{
    finance_client::FinanceClient,
    outbox::{Policy, Relay, Settlements, WakeUp},
    reconcile::{Finding, Handling, Reconciliation, reconcile},
};
use entity::redelivery;
use rstest::rstest;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use testkit::{Backend, TestDatabase};
use uuid::Uuid;

use crate::{
    finance_stub::conflict,
    outbox::{outbox, row, tick},
    reconcile::{finance, last_page, payments},
};

/// The amount that finance has recorded for the only appointment.
type Recorded = Arc<Mutex<Option<String>>>;

fn set(recorded: &Recorded, amount: Option<&str>) {
    *recorded.lock().expect("the amount") = amount.map(str::to_owned);
}

/// A finance that records what it is sent, once.
async fn recording(recorded: &Recorded) -> FinanceClient {
    let (recorded, instance) = (Arc::clone(recorded), Uuid::new_v4());
    let answer = move |variables: &Value| {
        let mut recorded = recorded.lock().expect("the amount");
        if let Some(sent) = variables["input"]["payments"].get(0) {
            let amount = sent["totalPrice"].as_str().expect("an amount");
            let agrees = *recorded.get_or_insert(amount.to_owned()) == amount;
            let result = if agrees { json!({ "payment": sent, "userErrors": [] }) } else { conflict() };
            return json!({ "data": { "recordPayments": { "results": [result], "userErrors": [] } } });
        }
        let Some(asked) = variables["filter"]["appointmentIds"].get(0) else {
            return match variables.get("filter") {
                None => json!({ "data": { "instanceId": instance } }),
                Some(_) => payments(&[], &last_page()),
            };
        };
        let payment = |amount: &String| json!({ "id": "p", "appointmentId": asked, "totalPrice": amount, "recordedAt": "2026-11-27T12:00:00.000Z" });
        payments(recorded.iter().map(payment).collect::<Vec<_>>().as_slice(), &last_page())
    };
    finance(move |variables| {
        let answered = answer(&variables);
        async move { answered }
    })
    .await
}

/// What `reconcile --send-again` tells and finds.
async fn send_again(db: &TestDatabase, finance: &FinanceClient) -> (Reconciliation, Vec<String>) {
    let mut lines = Vec::new();
    let report = |finding: Finding| {
        lines.push(finding.to_string());
        Ok(())
    };
    let mut handling = Handling { send_again: true, ..Handling::default() };
    (reconcile(&db.database, finance, &mut handling, report).await.expect("compared"), lines)
}

#[rstest]
#[case::the_price("999999999.99", 0)]
#[case::a_third_amount("150.00", 1)]
#[tokio::test]
async fn a_settled_payment_that_finance_has_lost_and_got_with_another_amount_is_settled_again(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] amount: &str,
    #[case] conflicts: u64,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let recorded = Recorded::default();
    let (finance, changes) = (recording(&recorded).await, Changes::new("consultation_changed").0);
    let policy = Policy::new(std::time::Duration::from_mins(1));
    let relay = Relay::new(db.database.clone(), finance.clone(), policy, WakeUp::default(), changes.clone());
    let settlements = Settlements { database: db.database.clone(), finance: finance.clone(), changes };
    let id = row(&db).await.appointment_id;
    let settle = |reason: &'static str, by: &'static str| {
        let (settlements, reason) = (&settlements, reason.parse().expect("a reason"));
        async move { settlements.settle(id, &reason, by).await.expect("finance tells its amount").expect("settled") }
    };

    set(&recorded, Some("1.00"));
    assert_eq!(tick(&relay).await.parked, 1);
    let first = settle("agreed", "ana").await;
    // Finance is restored from a backup without the payment, and somebody records it by hand.
    set(&recorded, Some(amount));
    let (found, lines) = send_again(&db, &finance).await;
    assert_eq!((found.differences, found.sent_again), (1, 1), "{lines:?}");
    assert_eq!(tick(&relay).await.parked, 1);
    let second = settle("recorded by hand", "bruno").await;
    assert_eq!((second.amount().to_string().as_str(), second.settled_by.as_deref()), (amount, Some("bruno")));

    let (found, lines) = send_again(&db, &finance).await;
    assert_eq!((found.differences, found.settled, found.sent_again), (0, conflicts, 0), "{lines:?}");
    let kept = redelivery::Entity::find().all(&db.database.read).await.expect("rows").remove(0);
    assert_eq!((kept.settled_price_cents, kept.settled_at), (first.settled_price_cents, first.settled_at));
    assert_eq!((kept.settle_reason.as_deref(), kept.settled_by.as_deref()), (Some("agreed"), Some("ana")));
}
