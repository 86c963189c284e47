//! Settlements and redeliveries beside relays: what an operator decides is written once and sent at most once.

use consultation::{
    outbox::{
        Tick,
        store::{self, Due, Failure, Lost},
    },
    reconcile::{Finding, Handling, reconcile},
};
use entity::{Money, pending_payment::Column, redelivery};
use rstest::rstest;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use testkit::{Backend, Log, TestDatabase};
use uuid::Uuid;

use crate::{
    finance_stub::{FinanceStub, Script},
    outbox::{LEASE, come, outbox, relay, row, rows, tick},
    pending::park,
    reconcile::{finance, last_page, payments},
};

async fn settle(db: &TestDatabase, id: Uuid) -> bool {
    let settled = store::settle(&db.database.write, id, Money::ZERO, "agreed", "operator").await;
    settled.expect("written").is_some()
}

#[rstest]
#[tokio::test]
async fn a_settlement_wins_against_a_relay_that_is_sending(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let id = row(&db).await.appointment_id;
    assert!(!settle(&db, id).await, "finance has not refused it");
    park(&db, [row(&db).await.id], "refused").await;
    come(&db, Column::NextAttemptAt).await;
    let leases = store::claim(&db.database.write, Due::All, 1, LEASE).await.expect("a claim");
    assert!(settle(&db, id).await);
    assert!(!settle(&db, id).await, "once");

    let settled = row(&db).await;
    assert!(settled.finished && !settled.processing && settled.lease_until.is_none(), "{settled:?}");
    assert_eq!((settled.amount(), settled.total_price_cents), (Money::ZERO, Money::MAX));
    assert_eq!(settled.settled_at, settled.finished_at);
    let refused = Failure { lease: &leases[0], delay: LEASE, error: "refused again".to_owned() };
    let stale = store::park(&db.database.write, &[refused]).await.expect("written");
    assert_eq!((stale, row(&db).await), (0, settled));
    assert!(store::claim(&db.database.write, Due::All, 1, LEASE).await.expect("a claim").is_empty());
}

#[rstest]
#[tokio::test]
async fn a_refusal_is_an_error_once_and_then_counted(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 1).await else { return };
    let finance = FinanceStub::start([Script::RefuseFirst, Script::RefuseFirst, Script::RefuseFirst]).await;
    let (relay, log) = (relay(&db, &finance), Log::capture());
    for _ in 0..3 {
        assert_eq!(tick(&relay).await, Tick { claimed: 1, parked: 1, ..Tick::default() });
        come(&db, Column::NextAttemptAt).await;
    }
    assert_eq!(row(&db).await.rejections, 3);
    let log = log.text();
    assert_eq!(log.lines().filter(|line| line.contains("ERROR")).count(), 1, "{log}");
}

/// What a comparison finds when finance has lost all these payments.
async fn lost(db: &TestDatabase) -> Vec<Lost> {
    let of = |row: entity::pending_payment::Model| Lost {
        consultation: row.appointment_id,
        price: row.total_price_cents,
        redeliveries: Some(row.redeliveries),
    };
    rows(db).await.into_iter().map(of).collect()
}

async fn records(db: &TestDatabase) -> Vec<redelivery::Model> {
    redelivery::Entity::find().all(&db.database.read).await.expect("rows")
}

#[rstest]
#[tokio::test]
async fn simultaneous_commands_put_a_lost_payment_on_its_way_once(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 3).await else { return };
    let finance = FinanceStub::start([]).await;
    let relay = relay(&db, &finance);
    assert_eq!(tick(&relay).await.delivered, 3);
    let confirmed = row(&db).await.finished_at;
    let lost = lost(&db).await;
    let commands = (0..4).map(|_| store::redeliver(&db.database, &lost, "operator"));
    let sent = futures_util::future::join_all(commands).await;
    let sent: usize = sent.into_iter().map(|sent| sent.expect("written").len()).sum();
    assert_eq!(sent, 3, "each by one of them");
    assert_eq!(tick(&relay).await, Tick { claimed: 3, delivered: 3, ..Tick::default() });
    // Finance may have the payments by now: a late command does not know.
    assert!(store::redeliver(&db.database, &lost, "operator").await.expect("written").is_empty());

    assert!(rows(&db).await.iter().all(|row| row.finished && row.redeliveries == 1));
    let records = records(&db).await;
    assert_eq!(records.len(), 3);
    assert!(records.iter().all(|record| record.requested_by == "operator"));
    assert!(records.iter().any(|record| record.confirmed_at == confirmed), "a confirmation is not forgotten");
}

#[rstest]
#[tokio::test]
async fn what_is_on_its_way_is_not_put_there_again(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 2).await else { return };
    let lost = lost(&db).await;
    let without_row = lost.iter().map(|lost| Lost { redeliveries: None, ..*lost }).collect::<Vec<_>>();
    for lost in [lost, without_row] {
        assert!(store::redeliver(&db.database, &lost, "operator").await.expect("written").is_empty());
    }
    assert!(records(&db).await.is_empty());
    assert!(rows(&db).await.iter().all(|row| row.redeliveries == 0));
}

#[rstest]
#[tokio::test]
async fn a_settled_payment_that_is_lost_is_sent_with_the_settled_amount(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    park(&db, [row(&db).await.id], "refused").await;
    assert!(settle(&db, row(&db).await.appointment_id).await);
    let lost = lost(&db).await;
    assert_eq!(store::redeliver(&db.database, &lost, "operator").await.expect("written").len(), 1);
    let finance = FinanceStub::start([]).await;
    assert_eq!(tick(&relay(&db, &finance)).await.delivered, 1);
    assert_eq!(finance.requests()[0][0]["totalPrice"], "0.00");
}

#[rstest]
#[tokio::test]
async fn a_delivered_payment_that_finance_has_with_another_amount_is_sent_again_so_that_it_can_be_settled(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let stub = FinanceStub::start([Script::Record, Script::RefuseFirst]).await;
    let relay = relay(&db, &stub);
    assert_eq!(tick(&relay).await.delivered, 1);
    let id = row(&db).await.appointment_id;
    store::accept(&db.database.write, stub.instance()).await.expect("accepted");
    let instance = stub.instance();
    let other = move |variables: Value| async move {
        if variables.is_null() || variables.as_object().is_some_and(serde_json::Map::is_empty) {
            return json!({ "data": { "instanceId": instance } });
        }
        let at = "2026-11-27T12:00:00.000Z";
        let other = json!({ "id": id, "appointmentId": id, "totalPrice": "1.00", "recordedAt": at });
        payments(&[other], &last_page())
    };
    let mut lines = Vec::new();
    let report = |finding: Finding| {
        lines.push(finding.to_string());
        Ok(())
    };
    let mut handling = Handling { send_again: true, ..Handling::default() };
    let sum = reconcile(&db.database, &finance(other).await, &mut handling, None, report).await.expect("compared");
    assert_eq!((sum.differences, sum.sent_again, sum.in_transit), (1, 1, 1));
    let expected = [
        format!("WRONG_AMOUNT consultation={id} price=999999999.99 payment=1.00"),
        format!("SENT_AGAIN consultation={id} amount=999999999.99"),
    ];
    assert_eq!(lines, expected);
    assert_eq!(tick(&relay).await.parked, 1);
    assert!(settle(&db, id).await, "by the amount that finance has");
}
