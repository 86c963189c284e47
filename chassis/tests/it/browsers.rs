//! Rules for browsers, enforced by a whole service.

mod cors;
mod hosts;

use std::net::SocketAddr;

use async_graphql::{EmptySubscription, Object, Schema};
use axum::{
    Router,
    body::Body,
    http::{Method, Request, Response, header::HeaderMap},
};
use chassis::{
    config::Server,
    gate::{self, ServiceRoutes},
    health::Monitor,
    metrics::Metrics,
    tls,
    traces::Traces,
};
use graphql_http::{Options, graphiql};
use rstest::rstest;
use testkit::{Backend, TestDatabase};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::{guarded::PERMISSIONS, health::NoMigrations};

const CREDENTIALS: &str = "Basic YWRtaW46dGVzdGUxMjM=";

struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn touch(&self) -> bool {
        true
    }
}

/// A service with the settings of `set`, and its database.
async fn router(set: impl FnOnce(&mut Server)) -> (Router, TestDatabase) {
    let db = TestDatabase::empty(Backend::Sqlite).await.expect("a file");
    let mut server = db.server("demo");
    set(&mut server);
    let mut monitor = Monitor::<NoMigrations>::new(&server, &db.database);
    monitor.check().await;
    let schema = Schema::new(Query, Mutation, EmptySubscription);
    let page = graphiql::Page { title: "demo", tabs: &[], other: None };
    let options = Options::default();
    let (sdl, permissions, rest) = (schema.sdl(), &PERMISSIONS, Router::new());
    let offered = ServiceRoutes {
        schema,
        options,
        sdl,
        permissions,
        page,
        rest,
        metrics: Metrics::new("demo"),
        traces: Traces::default(),
        replica: None,
    };
    let router = gate::guard(&server, monitor.readiness, &CancellationToken::new(), offered, Vec::new());
    (router.expect("a service"), db)
}

async fn ask(set: impl FnOnce(&mut Server), request: Request<Body>) -> Response<Body> {
    let (router, _db) = router(set).await;
    router.oneshot(request).await.expect("an answer")
}

/// A request of the development user with these headers.
fn request(method: Method, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("authorization", CREDENTIALS);
    headers
        .iter()
        .fold(request, |request, (name, value)| request.header(*name, *value))
        .body(Body::empty())
        .expect("one")
}

fn hello(headers: &[(&str, &str)]) -> Request<Body> {
    request(Method::GET, "/graphql?query=%7Bhello%7D", headers)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn bound_to(address: &str) -> impl FnOnce(&mut Server) {
    let bind: SocketAddr = address.parse().expect("an address");
    move |server| server.bind = bind
}

#[rstest]
#[case("/graphql?query=%7Bhello%7D")]
#[case("/schema.graphql")]
#[case("/nowhere")]
#[case("/readyz")]
#[tokio::test]
async fn answers_are_neither_sniffed_nor_stored(#[case] path: &str) {
    let answer = ask(|_| {}, request(Method::GET, path, &[])).await;
    let headers = ["x-content-type-options", "cache-control"].map(|name| text(answer.headers(), name));
    assert_eq!(headers, ["nosniff", "no-store"]);
    assert!(!answer.headers().contains_key("strict-transport-security"), "plain HTTP");
}

#[tokio::test]
async fn the_explorer_says_itself_how_long_it_may_be_kept() {
    let answer = ask(|_| {}, request(Method::GET, "/graphiql", &[])).await;
    assert_eq!(text(answer.headers(), "cache-control"), "no-cache");
}

#[rstest]
#[case("api.example", "max-age=31536000")]
#[case("localhost:8010", "")]
#[tokio::test]
async fn over_tls_browsers_are_to_stay_there(#[case] host: &str, #[case] header: &str) {
    let set = |server: &mut Server| {
        bound_to("0.0.0.0:8010")(server);
        server.tls = Some(tls::Files { certificate: "tls.crt".into(), key: "tls.key".into(), client_issuers: None });
    };
    let answer = ask(set, hello(&[("host", host)])).await;
    assert_eq!(text(answer.headers(), "strict-transport-security"), header);
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_refused_with_those_that_it_takes() {
    for (path, allowed) in [("/graphql", "GET,HEAD,POST"), ("/readyz", "GET,HEAD"), ("/graphiql", "GET,HEAD")] {
        let answer = ask(|_| {}, request(Method::DELETE, path, &[])).await;
        assert_eq!((answer.status().as_u16(), text(answer.headers(), "allow")), (405, allowed), "{path}");
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{body}");
        assert!(body["errors"][0]["message"].as_str().is_some_and(|message| message.contains("DELETE")), "{body}");
    }
}
