//! Pages of other origins: CORS, and WebSockets.

use axum::{
    body::Body,
    http::{Method, Request},
};
use chassis::{
    Service,
    config::Server,
    gate::browsers::{self, Browsers},
    metrics::Metrics,
    traces::Traces,
};
use rstest::rstest;
use testkit::{Socket, TestService};

use super::{CREDENTIALS, ask, hello, request, router, text};

const PAGE: &str = "https://app.example";

fn page_allowed(credentials: bool) -> impl FnOnce(&mut Server) {
    move |server| {
        let cors_origins =
            [PAGE, "http://localhost:3000"].map(|origin| browsers::origin(origin).expect("an origin")).into();
        server.browsers = Browsers { cors_origins, cors_credentials: credentials, ..Browsers::default() };
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

/// Whether a page gets a WebSocket, and whether it is authenticated by the stored credentials.
async fn socket_of(page: &str, credentials: bool) -> Result<bool, u16> {
    let (router, _db) = router(page_allowed(credentials)).await;
    let service = TestService::start(|_| Service {
        router,
        tasks: Vec::new(),
        metrics: Metrics::new("demo"),
        traces: Traces::default(),
    });
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
