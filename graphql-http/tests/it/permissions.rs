//! Permissions of callers, enforced before anything runs.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_graphql::{EmptySubscription, Object, Schema};
use axum::Extension;
use graphql_http::{Caller, Endpoint, Options, Permissions, Rule};
use serde_json::{Value, json};
use testkit::{Answer, GraphqlClient};
use tokio_util::sync::DropGuard;

use super::api::listen;

static PERMISSIONS: Permissions = Permissions {
    roles: &["reader", "editor"],
    root_fields: &[Rule::new("hello", &["reader"]), Rule::new("touch", &["reader"]), Rule::new("erase", &["editor"])],
    sensitive: &[],
};

struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }

    /// A field that nobody has written a rule for.
    async fn forgotten(&self) -> Option<&str> {
        Some("secret")
    }
}

struct Mutation(Arc<AtomicUsize>);

#[Object]
impl Mutation {
    async fn touch(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    async fn erase(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    async fn forgotten_too(&self) -> Option<usize> {
        Some(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// Serves to a reader. Returns how many mutations ran.
fn serve() -> (GraphqlClient, Arc<AtomicUsize>, DropGuard) {
    let ran = Arc::new(AtomicUsize::new(0));
    let schema = Schema::new(Query, Mutation(Arc::clone(&ran)), EmptySubscription);
    let endpoint = Endpoint::new(schema, Options::default()).with_permissions(&PERMISSIONS);
    let reader = Caller { name: "ana".into(), roles: ["reader"].into(), ..Caller::default() };
    let (client, server) = listen(graphql_http::router(endpoint, String::new()).layer(Extension(reader)));
    (client, ran, server)
}

async fn ask(client: &GraphqlClient, accept: &str, query: &str) -> Answer {
    let body = json!({ "query": query }).to_string();
    let request = client.post().header("content-type", "application/json").header("accept", accept);
    Answer::of(request.body(body)).await
}

#[tokio::test]
async fn of_two_mutations_none_runs_when_one_is_refused() {
    let (client, ran, _server) = serve();
    for accept in ["application/json", "application/graphql-response+json", "text/event-stream"] {
        let refused = ask(&client, accept, "mutation { touch erase }").await;
        assert_eq!((refused.status, refused.code()), (403, "FORBIDDEN"), "{accept}");
        assert_eq!(refused.body.get("data"), None);
        assert_eq!(refused.body["errors"][0]["locations"], json!([{ "line": 1, "column": 18 }]));
    }
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    let permitted = ask(&client, "application/json", "mutation { touch }").await;
    assert_eq!(permitted.body, json!({ "data": { "touch": 0 } }));
}

#[tokio::test]
async fn an_unknown_field_is_the_documents_mistake() {
    let (client, _ran, _server) = serve();
    let answer = ask(&client, "application/graphql-response+json", "{ hallo }").await;
    assert_eq!((answer.status, answer.code()), (400, "GRAPHQL_VALIDATION_FAILED"));
    let message = answer.body["errors"][0]["message"].as_str().unwrap_or_default();
    assert!(message.contains("\"hello\""), "{message}");
}

#[tokio::test]
async fn a_field_without_a_rule_does_not_run() {
    let (client, ran, _server) = serve();
    let read = ask(&client, "application/json", "{ hello forgotten }").await;
    assert_eq!(read.body["data"].get("forgotten").unwrap_or(&Value::Null), &Value::Null, "{}", read.body);
    ask(&client, "application/json", "mutation { touch forgottenToo }").await;
    assert_eq!(ran.load(Ordering::SeqCst), 0);
}
