//! A conflict is settled: finance's recorded amount stands, and both sides agree.

use std::time::Instant;

use rstest::rstest;
use serde_json::{Value, json};
use testkit::Backend;
use uuid::Uuid;

use crate::{
    cluster::{Cluster, finish, start},
    delivery::{TEST_TIMEOUT, all_arrive},
};

const SETTLE: &str = "mutation ($id: ID!, $reason: String!) {
    settlePendingPayment(input: { consultationId: $id, reason: $reason }) {
        pendingPayment { status totalPrice lastError nextAttemptAt settlement { recordedPrice settleReason settledBy settledAt } }
        userErrors { ... on UserError { code field } }
    } }";

/// Records another amount for an appointment, as another program does.
async fn record(cluster: &Cluster, id: &str, amount: &str) {
    let record = "mutation ($id: UUID!, $amount: Decimal!) {
        recordPayment(input: { appointmentId: $id, totalPrice: $amount }) { payment { id } } }";
    cluster.finance_client().call(record, json!({ "id": id, "amount": amount })).await;
}

/// A consultation for whose payment finance has 1.00 instead. Waits until it is parked.
pub(crate) async fn conflict(cluster: &Cluster) -> String {
    let id = start(&cluster.consultation.client, Uuid::new_v4()).await;
    record(cluster, &id, "1.00").await;
    finish(&cluster.consultation.client, &id).await;
    let deadline = Instant::now() + TEST_TIMEOUT;
    while !cluster.pending_payments().await.iter().any(|(status, _)| status == "PARKED") {
        assert!(Instant::now() < deadline, "it is not parked");
    }
    id
}

async fn settle(cluster: &Cluster, id: &str, reason: &str) -> Value {
    let settled = cluster.consultation.client.call(SETTLE, json!({ "id": id, "reason": reason })).await;
    settled["settlePendingPayment"].clone()
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or_default()
}

#[rstest]
#[tokio::test]
async fn a_settled_conflict_is_finished_and_both_sides_agree(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(cluster) = Cluster::start(backend).await else { return };
    let id = conflict(&cluster).await;
    let (text, exit) = cluster.reconcile();
    assert!(text.contains(&format!("WRONG_AMOUNT consultation={id} price=200.00 payment=1.00")), "{text}");
    assert_eq!(exit, Some(1));

    let invalid = settle(&cluster, &id, " \u{a0}\n").await;
    assert_eq!((code(&invalid), &invalid["userErrors"][0]["field"]), ("INVALID_INPUT", &json!(["input", "reason"])));
    let payload = settle(&cluster, &id, " agreed with the patient ").await;
    let payment = &payload["pendingPayment"];
    assert_eq!((&payment["status"], &payment["totalPrice"]), (&json!("FINISHED"), &json!("200.00")), "{payload}");
    let mut settlement = payment["settlement"].clone();
    assert!(settlement["settledAt"].take().is_string());
    let expected = json!({
        "recordedPrice": "1.00", "settleReason": "agreed with the patient", "settledBy": "admin", "settledAt": null
    });
    assert_eq!(settlement, expected);

    let again = settle(&cluster, &id, "again").await;
    assert_eq!(code(&again), "PAYMENT_NOT_REFUSED", "a settlement stays");
    let (text, exit) = cluster.reconcile();
    let line = format!("SETTLED consultation={id} price=200.00 payment=1.00 at=");
    assert!(text.contains(&line) && text.ends_with(", 0 differences, 1 settled\n"), "{text}");
    assert_eq!((exit, cluster.payments().await), (Some(0), vec![(id, "1.00".to_owned())]));
}

#[rstest]
#[tokio::test]
async fn what_cannot_be_settled_says_why(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(mut cluster) = Cluster::start(backend).await else { return };
    let (delivered, _) = cluster.finish_one().await;
    all_arrive(&cluster, 1).await;
    for id in [delivered, Uuid::new_v4().to_string()] {
        assert_eq!(code(&settle(&cluster, &id, "agreed").await), "PAYMENT_NOT_REFUSED");
    }
    let id = conflict(&cluster).await;
    let refused =
        |output: std::process::Output| (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned());
    let (exit, error) = refused(cluster.run(&["settle", "--consultation", &id, "--reason", ""]));
    assert!(exit == Some(2) && error.contains("--reason <TEXT>': is empty: say in a few words why"), "{error}");

    cluster.kill_finance().await;
    let answer = cluster.consultation.client.send(SETTLE, json!({ "id": id, "reason": "agreed" })).await;
    assert_eq!(answer.body["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{}", answer.body);
    let (exit, error) = refused(cluster.run(&["settle", "--consultation", &id, "--reason", "agreed"]));
    assert!(exit == Some(1) && error.contains("finance does not say what it has recorded"), "{error}");

    cluster.restart_finance().await;
    let settled = cluster.run(&["settle", "--consultation", &id, "--reason", "agreed"]);
    let said = format!("settled: finance's 1.00 stands for consultation {id}, whose price is 200.00\n");
    assert_eq!((settled.status.code(), String::from_utf8_lossy(&settled.stdout).into_owned()), (Some(0), said));
    let (exit, error) = refused(cluster.run(&["settle", "--consultation", &id, "--reason", "agreed"]));
    assert!(exit == Some(1) && error.contains("nothing to settle"), "{error}");
}
