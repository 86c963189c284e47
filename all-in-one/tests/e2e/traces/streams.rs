//! Operations over WebSockets and event streams.

use rstest::rstest;
use serde_json::json;
use testkit::{Backend, Socket, TracedSpan};
use uuid::Uuid;

use super::{named, traced};
use crate::cluster::start;

const START: &str = "mutation Start($a: UUID!) { startConsultation(input: { physicianId: $a, patientId: $a }) {
    consultation { id } } }";
const CHANGES: &str = "subscription Changes($id: ID!) { consultationChanged(id: $id) { status } }";

fn operation<'a>(spans: &'a [TracedSpan], name: &str) -> Option<&'a TracedSpan> {
    spans.iter().find(|span| span.attributes.get("graphql.operation.name").is_some_and(|given| given == name))
}

#[rstest]
#[tokio::test]
async fn each_operation_over_a_websocket_is_a_trace_once_its_caller_is_known(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((collector, cluster)) = traced(backend, "1").await else { return };
    let base = &cluster.consultation.client.base;
    let _anonymous = Socket::connect(base, &[]).await.expect("an upgrade");
    let mut socket = Socket::introduced(base).await;
    socket.subscribe("a", START, json!({ "a": Uuid::new_v4() })).await;
    let started = socket.next().await;
    let id = &started["payload"]["data"]["startConsultation"]["consultation"]["id"];
    assert_eq!(socket.next().await, json!({ "type": "complete", "id": "a" }));
    socket.subscribe("b", CHANGES, json!({ "id": id })).await;
    assert_eq!(socket.next().await["type"], "next");
    socket.send(json!({ "type": "complete", "id": "b" })).await;

    let is_complete = |spans: &[TracedSpan]| operation(spans, "Start").and(operation(spans, "Changes")).is_some();
    let spans = collector.spans_once(is_complete).await;
    let [begun, changes] = ["Start", "Changes"].map(|name| operation(&spans, name).expect("a span"));
    for (span, kind) in [(begun, "mutation"), (changes, "subscription")] {
        assert_eq!((span.name.as_str(), span.kind, span.parent.as_str()), ("GraphQL Operation", "server", ""));
        assert_eq!(span.attributes["graphql.operation.type"], kind);
    }
    assert_ne!(begun.trace, changes.trace);
    assert_eq!(named(&spans, "write start")[0].parent, begun.id);
    assert!(named(&spans, "GET /graphql").is_empty(), "an upgrade without a login has none: {spans:#?}");
}

#[rstest]
#[tokio::test]
async fn the_span_of_an_event_stream_ends_with_the_stream(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((collector, cluster)) = traced(backend, "1").await else { return };
    let client = &cluster.consultation.client;
    let mut started = client.events(START, json!({ "a": Uuid::new_v4() })).await;
    while started.next().await.is_some() {}
    let spans = collector.spans_once(|spans| operation(spans, "Start").is_some()).await;
    let begun = operation(&spans, "Start").expect("a span");
    assert_eq!((begun.name.as_str(), &begun.attributes["graphql.operation.type"][..]), ("POST /graphql", "mutation"));
    assert_eq!(begun.attributes["http.response.status_code"], "200");
    assert_eq!(named(&spans, "write start")[0].parent, begun.id);

    let mut changes = client.events(CHANGES, json!({ "id": start(client, Uuid::new_v4()).await })).await;
    changes.next().await.expect("the consultation as it is");
    client.call("query Count { consultations { totalCount } }", json!({})).await;
    let spans = collector.spans_once(|spans| operation(spans, "Count").is_some()).await;
    assert!(operation(&spans, "Changes").is_none(), "it goes on");
    drop(changes);
    collector.spans_once(|spans| operation(spans, "Changes").is_some()).await;
}
