//! Traces of both services, as a collector receives them.

mod failures;
mod sampling;
mod streams;
mod tree;

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, Backend, Behaviour, Collector, GraphqlClient, TracedSpan};
use uuid::Uuid;

use crate::cluster::{Cluster, finish, finish_one, start};
use tree::tree;

/// A trace that a client began.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const FINISH: &str =
    "mutation Finish($id: ID!) { finishConsultation(input: { consultationId: $id }) { consultation { price } } }";

/// Settings under which a share of requests is sampled, and spans are sent soon.
fn settings(collector: &Collector, share: &str) -> Vec<(&'static str, String)> {
    vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.clone()),
        ("OTEL_TRACES_SAMPLER_ARG", share.to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", "50".to_owned()),
    ]
}

async fn traced(backend: Backend, share: &str) -> Option<(Collector, Cluster)> {
    let collector = Collector::start(Behaviour::Accepts).await;
    let cluster = Cluster::start_with(backend, settings(&collector, share)).await?;
    Some((collector, cluster))
}

/// Sends an operation with this `traceparent`, with a login or without. Returns the status.
async fn send(client: &GraphqlClient, parent: &str, query: &str, variables: Value, has_login: bool) -> u16 {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let request = client.post().header("content-type", "application/json").header("traceparent", parent).body(body);
    let request = if has_login { request.basic_auth("admin", Some("teste123")) } else { request };
    Answer::of(request).await.status
}

fn named<'a>(spans: &'a [TracedSpan], name: &str) -> Vec<&'a TracedSpan> {
    spans.iter().filter(|span| span.name == name).collect()
}

fn of_trace(spans: &[TracedSpan], trace: &str) -> Vec<TracedSpan> {
    spans.iter().filter(|span| span.trace == trace).cloned().collect()
}

/// The `traceparent` of a client.
fn parent(trace: u128, flags: &str) -> String {
    format!("00-{trace:032x}-b7ad6b7169203331-{flags}")
}

/// The payment of the trace is recorded, and all around it has ended.
fn is_delivered(spans: &[TracedSpan], trace: &str) -> bool {
    let has = |service: &str, name: &str| {
        spans.iter().any(|span| span.trace == trace && span.service == service && span.name == name)
    };
    has("finance", "POST /graphql") && has("consultation", "send payments") && has("consultation", "POST /graphql")
}

#[rstest]
#[tokio::test]
async fn a_lone_finish_is_one_trace_up_to_its_payment(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some((collector, cluster)) = traced(backend, "0").await else { return };
    let (client, patient) = (&cluster.consultation.client, Uuid::new_v4());
    let id = start(client, patient).await;
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    assert_eq!(send(client, &parent, FINISH, json!({ "id": id }), true).await, 200);
    let spans = collector.spans_once(|spans| is_delivered(spans, TRACE)).await;
    let expected = "\
consultation: POST /graphql, server
  consultation: create pending_payment, producer
    consultation: send payments, client, of create pending_payment
      finance: POST /graphql, server
        finance: write record, internal, of POST /graphql
  consultation: write finish, internal, of POST /graphql
";
    assert_eq!(tree(&spans, "b7ad6b7169203331"), expected);

    let served = named(&spans, "POST /graphql");
    let finished = served.iter().find(|span| span.service == "consultation").expect("a span");
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/graphql"),
        ("http.response.status_code", "200"),
        ("graphql.operation.type", "mutation"),
        ("graphql.operation.name", "Finish"),
    ] {
        assert_eq!(finished.attributes.get(name).map(String::as_str), Some(value), "{name}");
    }
    let (created, sent) = (named(&spans, "create pending_payment")[0], named(&spans, "send payments")[0]);
    assert_eq!(sent.attributes["messaging.batch.message_count"], "1");
    assert_eq!(sent.attributes["messaging.message.id"], created.attributes["messaging.message.id"]);
    assert!(spans.iter().all(|span| span.failure.is_none()), "{spans:#?}");
    let text = format!("{spans:?}");
    for secret in [patient.to_string(), id, "admin".to_owned(), "finishConsultation".to_owned(), "200.00".to_owned()] {
        assert!(!text.contains(&secret), "{secret}: {text}");
    }
}

#[rstest]
#[tokio::test]
async fn a_batch_is_linked_to_each_of_its_callers(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some((collector, cluster)) = traced(backend, "1").await else { return };
    let client = &cluster.consultation.client;
    let started = join_all((0..40).map(|_| start(client, Uuid::new_v4()))).await;
    join_all(started.iter().map(|id| finish(client, id))).await;
    let is_complete = |spans: &[TracedSpan]| {
        let of = |name| named(spans, name).iter().map(|span| span.links.len()).sum::<usize>();
        of("write finish") == 40
            && of("send payments") == 40
            && of("write record") == named(spans, "send payments").len()
    };
    let spans = collector.spans_once(is_complete).await;
    for (batches, callers) in [
        ("write finish", "POST /graphql"),
        ("write start", "POST /graphql"),
        ("send payments", "create pending_payment"),
    ] {
        let shared = named(&spans, batches).into_iter().find(|span| span.links.len() > 1).expect("a shared batch");
        assert!(shared.parent.is_empty(), "a batch of several has no parent: {shared:?}");
        for (trace, id) in &shared.links {
            let caller = spans.iter().find(|span| span.trace == *trace && span.id == *id).expect("the caller");
            assert_eq!(caller.name, callers);
        }
    }
    let sent = named(&spans, "send payments").into_iter().find(|span| span.links.len() > 1).expect("a batch");
    assert_eq!(sent.attributes["messaging.batch.message_count"], sent.links.len().to_string());
}

#[rstest]
#[tokio::test]
async fn a_payment_that_waited_for_finance_is_linked_to_its_finish(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((collector, mut cluster)) = traced(backend, "1").await else { return };
    // The relay has met finance, and sends at once.
    finish_one(&cluster.consultation.client).await;
    collector.spans_once(|spans| spans.iter().any(|span| span.name == "write record")).await;
    cluster.kill_finance().await;
    finish_one(&cluster.consultation.client).await;
    let spans =
        collector.spans_once(|spans| named(spans, "send payments").iter().any(|span| span.failure.is_some())).await;
    let failed =
        named(&spans, "send payments").into_iter().find(|span| span.failure.is_some()).expect("a failure").clone();
    let created = spans.iter().find(|span| span.id == failed.parent).expect("the first try is in the trace");
    assert_eq!((created.name.as_str(), &created.trace), ("create pending_payment", &failed.trace));
    assert_eq!(failed.failure.as_deref(), Some("finance failed"), "without a text of finance");

    cluster.restart_finance().await;
    let is_later = |span: &TracedSpan| {
        span.name == "send payments"
            && span.failure.is_none()
            && span.links == failed.links
            && span.trace != failed.trace
    };
    let is_complete = |spans: &[TracedSpan]| {
        let sent = spans.iter().find(|span| is_later(span));
        sent.is_some_and(|sent| spans.iter().any(|span| span.parent == sent.id))
    };
    let spans = collector.spans_once(is_complete).await;
    let sent = spans.iter().find(|span| is_later(span)).expect("sent");
    assert!(sent.parent.is_empty(), "it is a trace of its own, hours after the finish maybe: {sent:?}");
    assert_eq!(sent.links, [(created.trace.clone(), created.id.clone())]);
    let recorded = spans.iter().find(|span| span.parent == sent.id).expect("finance's span");
    assert_eq!((recorded.service.as_str(), &recorded.trace), ("finance", &sent.trace));
}
