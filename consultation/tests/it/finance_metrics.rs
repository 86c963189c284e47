//! What is measured of calls of finance.

use std::time::Duration;

use chassis::metrics::Metrics;
use consultation::{
    config::FinanceTarget,
    finance_client::{FinanceClient, Payment},
};
use entity::Money;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use uuid::Uuid;

use crate::finance_stub::{FinanceStub, Script};

/// The labels of the only call of finance at this URL.
async fn labels_of_a_call(url: &str, timeout: Duration) -> String {
    let metrics = Metrics::new("consultation");
    let target = FinanceTarget::in_development(url.parse().expect("a URL"));
    let client = FinanceClient::new(target, timeout).expect("a client").measured(&metrics);
    let payment = Payment { appointment_id: Uuid::new_v4(), total_price: Money::MAX };
    client.record_payments(&[payment], Uuid::new_v4()).await.expect_err("a failure");
    let text = metrics.text();
    let counted = text.lines().find_map(|line| line.strip_prefix("http_client_request_duration_seconds_count{"));
    counted.and_then(|line| line.strip_suffix("} 1")).expect("one call").to_owned()
}

#[tokio::test]
async fn a_response_that_does_not_end_is_no_fast_success() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/graphql", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let (mut call, _) = listener.accept().await.expect("a call");
        let _ = call.read(&mut [0; 4096]).await;
        call.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{").await.expect("written");
        let _ = call.read(&mut [0; 1]).await;
    });
    let labels = labels_of_a_call(&url, Duration::from_millis(300)).await;
    assert_eq!(labels, "http_response_status_code=\"200\",error_type=\"timeout\"");
}

#[tokio::test]
async fn a_response_of_something_else_is_invalid_and_an_error_is_its_status() {
    for (status, labels) in [
        (200, "http_response_status_code=\"200\",error_type=\"invalid\""),
        (401, "http_response_status_code=\"401\",error_type=\"\""),
    ] {
        let finance = FinanceStub::start([Script::Answer(status, "<html>".to_owned())]).await;
        assert_eq!(labels_of_a_call(&finance.url(), Duration::from_secs(5)).await, labels);
    }
}

#[tokio::test]
async fn a_finance_that_does_not_listen_is_a_failure_to_connect() {
    let labels = labels_of_a_call("http://127.0.0.1:1/graphql", Duration::from_secs(5)).await;
    assert_eq!(labels, "http_response_status_code=\"\",error_type=\"connect\"");
}
