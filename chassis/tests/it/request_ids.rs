//! Request ids: a caller's is kept if it is harmless, and each response has one.

use axum::Router;
use chassis::{Service, metrics::Metrics, traces::Traces};
use testkit::{Answer, TestService};
use uuid::Uuid;

fn serve() -> TestService {
    TestService::start(|_| Service {
        router: Router::new(),
        tasks: Vec::new(),
        metrics: Metrics::new("demo"),
        traces: Traces::default(),
    })
}

async fn ask_as(service: &TestService, request_id: &str) -> Answer {
    Answer::of(service.client.get("/").header("x-request-id", request_id)).await
}

fn request_id(answer: &Answer) -> &str {
    answer.headers["x-request-id"].to_str().expect("a text")
}

#[tokio::test]
async fn a_callers_request_id_is_kept() {
    let service = serve();
    for id in ["7", "a-request_1.2", &"x".repeat(64)] {
        assert_eq!(request_id(&ask_as(&service, id).await), id);
    }
}

#[tokio::test]
async fn a_request_id_that_could_spoil_a_log_is_replaced() {
    let service = serve();
    for id in ["", "two words", "a;b", "a\tb", "\u{e7}", "{\"a\":1}", &"x".repeat(65)] {
        let answer = ask_as(&service, id).await;
        assert!(request_id(&answer).parse::<Uuid>().is_ok(), "{id}: {}", request_id(&answer));
    }
}

#[tokio::test]
async fn every_request_has_an_id_of_its_own() {
    let service = serve();
    let ask = async || Answer::of(service.client.get("/")).await;
    let (first, second) = (ask().await, ask().await);
    assert_ne!(request_id(&first), request_id(&second));
}
