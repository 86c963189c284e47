//! Who follows a list on PostgreSQL is told of what commands change in another process.

use serde_json::{Value, json};
use testkit::{Backend, Events, GraphqlClient};
use tokio::time::timeout;
use uuid::Uuid;

use crate::{
    cluster::Cluster,
    delivery::TEST_TIMEOUT,
    import::{import_consultation, import_finance},
    predecessor::Predecessor,
    settled::conflict,
};

const PENDING_PAYMENTS: &str =
    "subscription { pendingPaymentChanged { status settlement { recordedPrice } consultation { id } } }";
const PAYMENTS: &str = "subscription { paymentRecorded { appointmentId } }";

/// The next event that is no comment.
async fn next(events: &mut Events) -> Value {
    loop {
        match timeout(TEST_TIMEOUT, events.next()).await.expect("told in time").expect("an event") {
            Value::Null => {}
            event => return event,
        }
    }
}

fn has_missed(event: &Value) -> bool {
    event["errors"][0]["extensions"]["code"] == "EVENTS_MISSED"
}

/// Follows a list. An event has come: the replica listens.
async fn follow(cluster: &Cluster, client: &GraphqlClient, list: &str) -> Events {
    loop {
        let mut events = client.events(list, json!({})).await;
        cluster.finish_one().await;
        // A new connection reports missed changes once.
        if !has_missed(&next(&mut events).await) {
            return events;
        }
    }
}

#[tokio::test]
async fn who_follows_payments_sees_what_the_command_settles() {
    let Some(cluster) = Cluster::start(Backend::Postgres).await else { return };
    let id = conflict(&cluster).await;
    let mut events = follow(&cluster, &cluster.consultation.client, PENDING_PAYMENTS).await;
    let settled = cluster.run(&["settle", "--consultation", &id, "--reason", "agreed"]);
    assert_eq!(settled.status.code(), Some(0));
    let expected = json!({
        "status": "FINISHED", "settlement": { "recordedPrice": "1.00" }, "consultation": { "id": id }
    });
    while next(&mut events).await["data"]["pendingPaymentChanged"] != expected {}
}

#[tokio::test]
async fn who_follows_lists_is_told_that_an_import_was_missed() {
    let Some(cluster) = Cluster::start(Backend::Postgres).await else { return };
    let from = Predecessor::empty(Backend::Postgres).await.expect("as before");
    from.payment(Uuid::new_v4(), "7.00").await;
    from.finished("7.00").await;
    let mut payments = follow(&cluster, cluster.finance_client(), PAYMENTS).await;
    let mut pending_payments = follow(&cluster, &cluster.consultation.client, PENDING_PAYMENTS).await;
    let (text, code) = import_finance(&cluster, &from, &["--yes"]);
    assert_eq!(code, Some(0), "{text}");
    while !has_missed(&next(&mut payments).await) {}
    let (text, code) = import_consultation(&cluster, &from, &["--yes"]);
    assert_eq!(code, Some(0), "{text}");
    while !has_missed(&next(&mut pending_payments).await) {}
}
