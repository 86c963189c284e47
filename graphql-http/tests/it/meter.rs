//! What a meter is told, by every transport.

use std::{
    future::ready,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_graphql::{Context, EmptyMutation, Object, Result, Schema, Subscription, parser::types::OperationType};
use axum::Extension;
use futures_util::{Stream, stream};
use graphql_http::{
    Caller, Endpoint, Options, Permissions, Rule,
    meter::{Measured, Meter, Protocol, Sender},
};
use rstest::rstest;
use serde_json::json;
use testkit::Socket;
use tokio::sync::Notify;

use super::api::listen;

const ROLES: &[&str] = &["reader"];
static PERMISSIONS: Permissions = Permissions {
    roles: &["reader", "editor"],
    root_fields: &[
        Rule::new("hello", ROLES),
        Rule::new("fault", ROLES),
        Rule::new("secret", &["editor"]),
        Rule::new("slow", ROLES),
        Rule::new("ticks", ROLES),
    ],
    sensitive: &[],
};

struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> bool {
        true
    }

    async fn fault(&self) -> Result<bool> {
        ready(Err("a fault".into())).await
    }

    async fn secret(&self) -> bool {
        true
    }

    /// Ends, or panics, when it is told so.
    async fn slow(&self, context: &Context<'_>, panics: bool) -> bool {
        let Gate { begun, go_on } = context.data_unchecked();
        begun.notify_one();
        go_on.notified().await;
        assert!(!panics, "as it was asked");
        true
    }
}

#[derive(Clone, Default)]
struct Gate {
    begun: Arc<Notify>,
    go_on: Arc<Notify>,
}

struct Ticks;

#[Subscription]
impl Ticks {
    async fn ticks(&self) -> impl Stream<Item = Result<usize>> {
        stream::iter([Ok(1), Err("a fault".into())])
    }
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>, Arc<Notify>);

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }

    fn add(&self, event: &str, operation: Measured<'_>) {
        let Measured { sender, kind, root_field, conclusion, code, duration, .. } = operation;
        let (name, took) = (&sender.caller.name, duration.is_some_and(|took| took < Duration::from_mins(1)));
        let told = format!("{event}: {name} {kind} {root_field} {conclusion:?} {}, timed: {took}", code.unwrap_or("-"));
        self.0.lock().expect("no panic").push(told);
        self.1.notify_one();
    }
}

impl Meter for Told {
    fn operation_begun(&self, sender: &Sender, kind: OperationType, root_field: &'static str) {
        let begun = format!("begun: {} {kind} {root_field}", sender.caller.name);
        self.0.lock().expect("no panic").push(begun);
    }

    fn operation(&self, operation: Measured<'_>) {
        self.add("operation", operation);
    }

    fn error(&self, code: &str) {
        self.0.lock().expect("no panic").push(code.to_owned());
    }

    fn subscription_begun(&self, protocol: Protocol) {
        self.0.lock().expect("no panic").push(format!("begun: {protocol:?}"));
    }

    fn subscription_ended(&self, subscription: Measured<'_>) {
        self.add("ended", subscription);
    }
}

/// An endpoint that tells its meter, for a caller who may read.
fn endpoint(told: &Told, gate: Gate) -> axum::Router {
    let schema = Schema::build(Query, EmptyMutation, Ticks).data(gate).finish();
    let endpoint = Endpoint::new(schema, Options::default());
    let endpoint = endpoint.with_permissions(&PERMISSIONS).with_meter(Arc::new(told.clone()));
    let reader = Caller { name: "ana".into(), roles: ["reader"].into(), ..Caller::default() };
    graphql_http::router(endpoint, String::new()).layer(Extension(reader))
}

#[rstest]
#[case::a_query("{ hello }", &["begun: ana query hello", "operation: ana query hello Ok -, timed: true"])]
#[case::several_fields("{ hello fault }",
    &["begun: ana query several", "INTERNAL_SERVER_ERROR",
      "operation: ana query several Fault INTERNAL_SERVER_ERROR, timed: true"])]
#[case::an_unknown_name("{ name1 }",
    &["begun: ana query introspection", "GRAPHQL_VALIDATION_FAILED",
      "operation: ana query introspection Invalid GRAPHQL_VALIDATION_FAILED, timed: true"])]
#[case::a_refusal("{ hello secret }",
    &["operation: ana query several Forbidden FORBIDDEN, timed: false", "FORBIDDEN"])]
#[case::no_document("{", &["GRAPHQL_PARSE_FAILED"])]
#[case::a_subscription("subscription { ticks }",
    &["begun: PROTOCOL", "operation: ana subscription ticks Ok -, timed: false", "INTERNAL_SERVER_ERROR",
      "ended: ana subscription ticks Fault INTERNAL_SERVER_ERROR, timed: true"])]
#[tokio::test]
async fn a_meter_is_told_how_each_operation_ends_and_who_has_sent_it(#[case] query: &str, #[case] expected: &[&str]) {
    let told = Told::default();
    let (client, _server) = listen(endpoint(&told, Gate::default()));
    let expected = |protocol| expected.iter().map(|told| told.replace("PROTOCOL", protocol)).collect::<Vec<_>>();
    if query.starts_with("subscription") {
        let mut events = client.events(query, json!({})).await;
        while events.next().await.is_some_and(|event| !event.is_null()) {}
    } else {
        client.send(query, json!({})).await;
    }
    assert_eq!(told.take(), expected("Http"));

    let mut socket = Socket::connect(&client.base, &[]).await.expect("an upgrade");
    socket.send(json!({ "type": "connection_init" })).await;
    socket.next().await;
    socket.subscribe("a", query, json!({})).await;
    while !["complete", "error"].contains(&socket.next().await["type"].as_str().expect("a type")) {}
    assert_eq!(told.take(), expected("WebSocket"));
}

#[rstest]
#[case::it_ends(false, "operation: ana query slow Ok -, timed: true")]
#[case::it_panics(true, "operation: ana query slow Fault -, timed: true")]
#[tokio::test]
async fn an_operation_whose_client_has_gone_is_measured_at_its_end(#[case] panics: bool, #[case] expected: &str) {
    let (told, gate) = (Told::default(), Gate::default());
    let (client, _server) = listen(endpoint(&told, gate.clone()));
    let query = json!({ "query": format!("{{ slow(panics: {panics}) }}") });
    let request = tokio::spawn(client.post().header("content-type", "application/json").body(query.to_string()).send());
    gate.begun.notified().await;
    request.abort();
    assert!(request.await.is_err(), "it hung up");
    assert_eq!(told.take(), ["begun: ana query slow"]);
    gate.go_on.notify_one();
    told.1.notified().await;
    assert_eq!(told.take(), [expected]);
}

#[tokio::test]
async fn a_request_that_is_refused_before_its_operation_is_known_is_an_error_of_its_code() {
    let told = Told::default();
    let (client, _server) = listen(endpoint(&told, Gate::default()));
    let post = |body: &'static str| client.post().header("content-type", "application/json").body(body);
    for (request, code) in [
        (post("{"), "BAD_REQUEST"),
        (client.post().header("content-type", "text/plain").body("{}"), "BAD_REQUEST"),
        (client.get("/graphql?query={hello}").header("accept", "text/html"), "BAD_REQUEST"),
        (client.post().header("origin", "https://evil.example").body(r#"{"query":"{ hello }"}"#), "FORBIDDEN"),
    ] {
        request.send().await.expect("a response");
        assert_eq!(told.take(), [code]);
    }
    client.get("/graphql?query=subscription{ticks}").send().await.expect("a response");
    let refused = "operation: ana subscription ticks Refused BAD_REQUEST, timed: false";
    assert_eq!(told.take(), [refused, "BAD_REQUEST"], "its operation is known");
}
