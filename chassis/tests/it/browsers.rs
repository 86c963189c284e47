//! What browsers are told and held to, by a whole service.

use std::net::SocketAddr;

use async_graphql::{EmptySubscription, Object, Schema};
use axum::{
    Router,
    body::Body,
    http::{Method, Request, Response, header::HeaderMap},
};
use chassis::{
    Service,
    config::Server,
    gate::{
        self, ServiceRoutes,
        browsers::{self, Browsers},
    },
    health::Monitor,
    tls,
};
use graphql_http::{Options, graphiql};
use rstest::rstest;
use testkit::{Backend, Socket, TestDatabase, TestService};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::health::NoMigrations;

const CREDENTIALS: &str = "Basic YWRtaW46dGVzdGUxMjM=";
const PAGE: &str = "https://app.example";

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

/// A service as `set` sets it, and what it needs to live.
async fn router(set: impl FnOnce(&mut Server)) -> (Router, TestDatabase) {
    let db = TestDatabase::empty(Backend::Sqlite).await.expect("a file");
    let mut server = db.server("demo");
    set(&mut server);
    let mut monitor = Monitor::<NoMigrations>::new(&server, &db.database);
    monitor.check().await;
    let schema = Schema::new(Query, Mutation, EmptySubscription);
    let page = graphiql::Page { title: "demo", tabs: &[] };
    let options = Options::default();
    let routes = ServiceRoutes { sdl: schema.sdl(), schema, options, page, rest: Router::new() };
    let router = gate::guard(&server, monitor.readiness, &CancellationToken::new(), routes, Vec::new());
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

fn page_allowed(credentials: bool) -> impl FnOnce(&mut Server) {
    move |server| {
        let cors_origins =
            [PAGE, "http://localhost:3000"].map(|origin| browsers::origin(origin).expect("an origin")).into();
        server.browsers = Browsers { cors_origins, cors_credentials: credentials, ..Browsers::default() };
    }
}

#[rstest]
#[case::localhost("localhost:8010", 200)]
#[case::in_capitals("LocalHost:8010", 200)]
#[case::an_address("127.0.0.1:8010", 200)]
#[case::an_address_of_ipv6("[::1]:8010", 200)]
#[case::another_name("evil.example", 421)]
#[case::with_the_port("evil.example:8010", 421)]
#[case::a_name_that_begins_alike("localhost.evil.example:8010", 421)]
#[case::another_address("192.0.2.1:8010", 421)]
#[case::every_address("0.0.0.0:8010", 421)]
#[case::no_name("a b", 421)]
#[case::nothing("", 421)]
#[tokio::test]
async fn on_loopback_a_service_is_called_by_names_of_loopback_only(#[case] host: &str, #[case] status: u16) {
    let answer = ask(|_| {}, hello(&[("host", host)])).await;
    assert_eq!(answer.status().as_u16(), status);
}

#[tokio::test]
async fn who_calls_by_another_name_learns_which_setting_allows_it() {
    let answer = ask(|_| {}, hello(&[("host", "evil.example")])).await;
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    let body = String::from_utf8_lossy(&body);
    assert!(body.contains("evil.example") && body.contains("--demo-allowed-hosts"), "{body}");
}

#[rstest]
#[case("api.example", 200)]
#[case("API.example:8010", 200)]
#[case("localhost", 200)]
#[case("evil.example", 421)]
#[tokio::test]
async fn names_that_are_set_are_the_only_ones_besides(#[case] host: &str, #[case] status: u16) {
    for address in ["127.0.0.1:8010", "0.0.0.0:8010"] {
        let set = |server: &mut Server| {
            bound_to(address)(server);
            server.browsers.allowed_hosts = vec!["api.example".to_owned()];
        };
        assert_eq!(ask(set, hello(&[("host", host)])).await.status().as_u16(), status, "{address}");
    }
}

#[tokio::test]
async fn on_other_addresses_any_name_will_do_unless_names_are_set() {
    assert_eq!(ask(bound_to("0.0.0.0:8010"), hello(&[("host", "any.example")])).await.status(), 200);
}

#[tokio::test]
async fn supervisors_may_call_by_any_name() {
    for path in ["/livez", "/readyz"] {
        let answer = ask(|_| {}, request(Method::GET, path, &[("host", "10.0.0.7:8010")])).await;
        assert_eq!((answer.status().as_u16(), text(answer.headers(), "x-service")), (200, "demo"));
    }
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
        server.tls = Some(tls::Files { certificate: "tls.crt".into(), key: "tls.key".into() });
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

#[rstest]
#[case::with_remembered_credentials(true, "true")]
#[case::with_its_own(false, "")]
#[tokio::test]
async fn a_page_of_an_origin_that_is_set_may_call(#[case] credentials: bool, #[case] told: &str) {
    let headers = [("origin", PAGE), ("sec-fetch-site", "cross-site"), ("host", "localhost:8010")];
    let answer = ask(page_allowed(credentials), hello(&headers)).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(text(answer.headers(), "access-control-allow-origin"), PAGE);
    assert_eq!(text(answer.headers(), "access-control-allow-credentials"), told);
    assert!(text(answer.headers(), "access-control-expose-headers").contains("x-request-id"));
    assert!(text(answer.headers(), "vary").contains("origin"));
}

#[tokio::test]
async fn a_browser_may_ask_without_credentials_what_a_page_may_and_remember_it() {
    let preflight = Request::options("/graphql").header("origin", PAGE);
    let preflight = preflight.header("access-control-request-method", "POST");
    let preflight = preflight.header("access-control-request-headers", "authorization,content-type");
    let answer = ask(page_allowed(false), preflight.body(Body::empty()).expect("a request")).await;
    assert_eq!(answer.status(), 200);
    let allowed = ["origin", "methods", "headers", "credentials"];
    let allowed = allowed.map(|what| text(answer.headers(), &format!("access-control-allow-{what}")));
    assert_eq!(allowed, [PAGE, "GET,POST,PUT", "authorization,content-type", ""]);
    assert_eq!(text(answer.headers(), "access-control-max-age"), "7200");
}

#[tokio::test]
async fn a_page_learns_that_its_credentials_are_wrong() {
    let request = Request::get("/graphql?query=%7Bhello%7D").header("origin", PAGE);
    let answer = ask(page_allowed(false), request.body(Body::empty()).expect("a request")).await;
    assert_eq!((answer.status().as_u16(), text(answer.headers(), "access-control-allow-origin")), (401, PAGE));
}

#[rstest]
#[case::another("https://evil.example")]
#[case::a_longer_name("https://app.example.evil.example")]
#[case::another_scheme("http://app.example")]
#[case::another_port("https://app.example:8443")]
#[case::a_file("null")]
#[tokio::test]
async fn pages_of_other_origins_stay_refused(#[case] origin: &str) {
    let answer = ask(page_allowed(true), hello(&[("origin", origin), ("host", "localhost:8010")])).await;
    assert_eq!((answer.status().as_u16(), text(answer.headers(), "access-control-allow-origin")), (403, ""));
    let two = hello(&[("origin", PAGE), ("origin", origin), ("host", "localhost:8010")]);
    assert_eq!(ask(page_allowed(true), two).await.status(), 403);
}

#[tokio::test]
async fn without_origins_nothing_is_told_of_them() {
    let answer = ask(|_| {}, hello(&[("origin", PAGE), ("host", "localhost:8010")])).await;
    assert_eq!((answer.status().as_u16(), text(answer.headers(), "access-control-allow-origin")), (403, ""));
    let answer = ask(|_| {}, request(Method::OPTIONS, "/graphql", &[("origin", PAGE)])).await;
    assert_eq!(answer.status(), 405);
}

/// Whether a page gets a WebSocket, and whether that knows the user by what the browser remembers.
async fn socket_of(page: &str, credentials: bool) -> Result<bool, u16> {
    let (router, _db) = router(page_allowed(credentials)).await;
    let service = TestService::start(|_| Service { router, tasks: Vec::new() });
    let page = if page == "own" { service.client.base.clone() } else { page.to_owned() };
    let headers = [("authorization", CREDENTIALS), ("origin", page.as_str())];
    let mut socket = Socket::connect(&service.client.base, &headers).await.map_err(|status| status.as_u16())?;
    socket.send_text(r#"{ "type": "connection_init" }"#).await;
    Ok(socket.is_acknowledged().await)
}

#[rstest]
#[case::the_services_own("own", false, Ok(true))]
#[case::one_that_is_set(PAGE, true, Ok(true))]
#[case::one_that_is_to_bring_its_own(PAGE, false, Ok(false))]
#[case::another("https://evil.example", true, Err(403))]
#[tokio::test]
async fn a_websocket_follows_the_same_list(
    #[case] page: &str,
    #[case] credentials: bool,
    #[case] knows_the_user: Result<bool, u16>,
) {
    assert_eq!(socket_of(page, credentials).await, knows_the_user);
}
