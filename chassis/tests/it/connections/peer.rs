//! The peer of a request.

use std::net::SocketAddr;

use axum::{Extension, Router, extract::ConnectInfo, routing::get};
use chassis::{Service, metrics::Metrics, traces::Traces};
use testkit::TestService;

#[tokio::test]
async fn a_request_carries_the_address_of_its_peer() {
    let peer = async |Extension(ConnectInfo(peer)): Extension<ConnectInfo<SocketAddr>>| peer.ip().to_string();
    let router = Router::new().route("/peer", get(peer));
    let service = TestService::start(|_| Service {
        router,
        tasks: Vec::new(),
        metrics: Metrics::new("demo"),
        traces: Traces::default(),
    });
    let answer = service.client.get("/peer").send().await.expect("an answer");
    assert_eq!(answer.text().await.expect("a text"), "127.0.0.1");
}
