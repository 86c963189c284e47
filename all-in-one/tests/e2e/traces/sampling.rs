//! Who decides what is sampled.

use rstest::rstest;
use serde_json::json;
use testkit::{Backend, TracedSpan};
use uuid::Uuid;

use super::{FINISH, is_delivered, named, of_trace, parent, send, traced};
use crate::cluster::start;

#[rstest]
#[tokio::test]
async fn a_client_decides_about_its_trace_only_with_a_login(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((collector, cluster)) = traced(backend, "0").await else { return };
    let client = &cluster.consultation.client;
    let [first, second] = [start(client, Uuid::new_v4()).await, start(client, Uuid::new_v4()).await];
    let query = "{ consultations { totalCount } }";
    assert_eq!(send(client, &parent(1, "01"), query, json!({}), false).await, 401);
    // A WebSocket may bring its login later.
    let upgrade = client.get("/graphql").header("traceparent", parent(1, "01")).header("connection", "upgrade");
    let upgrade = upgrade.header("upgrade", "websocket").header("sec-websocket-version", "13");
    let upgrade = upgrade.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let upgrade = upgrade.header("sec-websocket-protocol", "graphql-transport-ws");
    assert_eq!(upgrade.send().await.expect("a response").status(), 101);
    assert_eq!(send(client, &parent(2, "00"), FINISH, json!({ "id": first }), true).await, 200);
    assert_eq!(send(client, "00-nonsense", query, json!({}), true).await, 200);
    let sampled = format!("{:032x}", 3);
    // Maybe in one request with the other payment, which is no trace of its own then.
    let is_sent = |spans: &[TracedSpan]| {
        let sent =
            named(spans, "send payments").into_iter().find(|span| span.links.iter().any(|link| link.0 == sampled));
        sent.is_some_and(|sent| spans.iter().any(|span| span.parent == sent.id))
            && !of_trace(spans, &sampled).is_empty()
    };
    assert_eq!(send(client, &parent(3, "01"), FINISH, json!({ "id": second }), true).await, 200);
    let spans = collector.spans_once(is_sent).await;
    let served: Vec<_> = spans.iter().filter(|span| span.service == "consultation" && span.kind == "server").collect();
    assert!(matches!(served[..], [span] if span.trace == sampled), "{spans:#?}");
    assert_eq!(named(&spans, "create pending_payment").len(), 1, "{spans:#?}");
}

#[rstest]
#[tokio::test]
async fn finance_samples_nothing_of_what_consultation_did_not_sample(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((collector, cluster)) = traced(backend, "1").await else { return };
    let client = &cluster.consultation.client;
    let [first, second] = [start(client, Uuid::new_v4()).await, start(client, Uuid::new_v4()).await];
    let delivery = "subscription ($id: ID!) { consultationChanged(id: $id) { pendingPayment { status } } }";
    let mut deliveries = client.events(delivery, json!({ "id": first })).await;
    // Before it, consultation asks for the instance id of finance.
    assert_eq!(send(client, &parent(1, "00"), FINISH, json!({ "id": first }), true).await, 200);
    let is_finished = "/data/consultationChanged/pendingPayment/status";
    while deliveries.next().await.expect("an event").pointer(is_finished) != Some(&json!("FINISHED")) {}
    assert_eq!(send(client, &parent(2, "01"), FINISH, json!({ "id": second }), true).await, 200);
    let sampled = format!("{:032x}", 2);
    let spans = collector.spans_once(|spans| is_delivered(spans, &sampled)).await;
    let of_others: Vec<_> = spans.iter().filter(|span| span.service == "finance" && span.trace != sampled).collect();
    assert!(of_others.is_empty(), "{of_others:#?}");
}
