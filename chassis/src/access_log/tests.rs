//! The line of a request whose client does not wait.

use std::{fs, net::Ipv4Addr, sync::Arc};

use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Schema};
use axum::{Extension, Router, extract};
use graphql_http::{Caller, Endpoint, Options, Permissions, Rule};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower::ServiceExt;

use super::*;
use crate::metrics::Metrics;

static PERMISSIONS: Permissions =
    Permissions { roles: &["reader"], root_fields: &[Rule::new("slow", &["reader"])], sensitive: &[] };

struct Query;

#[Object]
impl Query {
    /// Begins, and never ends.
    async fn slow(&self, context: &Context<'_>) -> bool {
        context.data_unchecked::<Arc<Notify>>().notify_one();
        std::future::pending().await
    }
}

fn service(log: AccessLog, begun: &Arc<Notify>) -> Router {
    let schema = Schema::build(Query, EmptyMutation, EmptySubscription).data(Arc::clone(begun)).finish();
    let meter = Arc::new(Operations { log, meter: Arc::new(Metrics::new("test").graphql) });
    let endpoint = Endpoint::new(schema, Options::default()).with_permissions(&PERMISSIONS).with_meter(meter);
    let reader = Caller { name: "ana".into(), roles: ["reader"].into(), ..Caller::default() };
    graphql_http::router(endpoint.with_task_context::<Current>(), String::new()).layer(Extension(reader))
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_a_line_with_its_operation() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("access.log");
    let lines = Destination::File(path.clone()).open("access", true).expect("opened");
    let log = AccessLog { service: "test", lines: Box::leak(Box::new(lines)), min_duration: Duration::ZERO };
    let begun = Arc::new(Notify::new());
    let request = extract::Request::get("/graphql?query={slow}").body(axum::body::Body::empty()).expect("a request");
    let logged = Arc::new(Request::new(log, &request, Ipv4Addr::LOCALHOST.into()));
    let service = service(log, &begun);
    let answer = async { service.oneshot(request).await.unwrap_or_else(|never| match never {}) };
    let client = tokio::spawn(logged.follow(answer));
    begun.notified().await;
    client.abort();
    assert!(client.await.is_err(), "it went away");
    let line: Value = serde_json::from_str(&fs::read_to_string(path).expect("a log")).expect("a line");
    let [operation, field, outcome] = ["operation", "field", "outcome"].map(|name| &line[name]);
    assert_eq!([operation, field, outcome], [&json!("query"), &json!("slow"), &json!("disconnected")]);
}
