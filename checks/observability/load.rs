//! The load whose counts are known: consultations from start to finish, and some mistakes of clients.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Events, GraphqlClient};
use uuid::Uuid;

use crate::{monitor::Monitor, stack::Stack};

/// More than the alerts on the budget of finishes want to see.
pub(crate) const FINISHES: u32 = 60;
pub(crate) const INVALID: u32 = 3;
/// Below what begins to throttle an address.
pub(crate) const WRONG_PASSWORDS: u32 = 2;
const INVALID_DOCUMENT: &str = "{ nothing }";
/// Two scrapes of the shipped interval.
const SCRAPED_WITHIN: Duration = Duration::from_secs(30);

/// Makes the calls. The subscription that it returns stays open.
pub(crate) async fn run(stack: &Stack, monitor: &Monitor) -> anyhow::Result<Events> {
    let client = &stack.consultation().client;
    // A rate sees nothing of the call that makes its series: let Prometheus read the first of each kind.
    let first = finish_one(client).await;
    client.send(INVALID_DOCUMENT, json!({})).await;
    let both = "count(graphql_operation_duration_seconds_count{field=~\"finishConsultation|recordPayments\"} > 0)";
    monitor.until(both, |both| both == Some(2.0), SCRAPED_WITHIN).await?;
    for _ in 1..FINISHES {
        finish_one(client).await;
    }
    for _ in 1..INVALID {
        client.send(INVALID_DOCUMENT, json!({})).await;
    }
    for _ in 0..WRONG_PASSWORDS {
        let request = client.post().basic_auth("admin", Some("wrong")).header("content-type", "application/json");
        let status = request.body("{}").send().await.expect("a response").status();
        assert_eq!(status, 401);
    }
    let subscription = "subscription ($id: ID!) { consultationChanged(id: $id) { id } }";
    Ok(client.events(subscription, json!({ "id": first })).await)
}

/// Starts a consultation; returns its id.
pub(crate) async fn start_one(client: &GraphqlClient) -> Value {
    let start = "mutation ($physician: UUID!, $patient: UUID!) {
        startConsultation(input: { physicianId: $physician, patientId: $patient }) { consultation { id } } }";
    let people = json!({ "physician": Uuid::new_v4(), "patient": Uuid::new_v4() });
    client.call(start, people).await["startConsultation"]["consultation"]["id"].take()
}

/// Finishes a consultation, or fails to.
pub(crate) async fn finish(client: &GraphqlClient, id: &Value) {
    let finish = "mutation ($id: ID!) {
        finishConsultation(input: { consultationId: $id }) { consultation { price } userErrors { __typename } } }";
    client.send(finish, json!({ "id": id })).await;
}

/// Starts and finishes a consultation; returns its id.
pub(crate) async fn finish_one(client: &GraphqlClient) -> Value {
    let id = start_one(client).await;
    finish(client, &id).await;
    id
}
