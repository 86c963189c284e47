//! What is measured of calls of finance.

use std::time::Duration;

use chassis::metrics::Metrics;
use consultation::{config::FinanceTarget, finance_client::FinanceClient};
use rstest::rstest;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::outbox::currency;

/// The labels of a call of finance at this address.
async fn labels_of_a_call(address: &str) -> String {
    let metrics = Metrics::new("consultation");
    let target = FinanceTarget::in_development(format!("http://{address}/graphql").parse().expect("a URL"));
    let client = FinanceClient::new(target, currency(), Duration::from_millis(500)).expect("a client");
    let client = client.measured(&metrics);
    client.instance_id().await.expect_err("a failure");
    let text = metrics.text();
    let counted = text.lines().find_map(|line| line.strip_prefix("http_client_request_duration_seconds_count{"));
    counted.and_then(|line| line.strip_suffix("} 1")).expect("one call").to_owned()
}

#[rstest]
#[case::half_a_response("200 OK\r\nContent-Length: 100\r\n\r\n{", "200", "timeout")]
#[case::something_else("200 OK\r\nContent-Length: 6\r\n\r\n<html>", "200", "invalid")]
#[case::an_error("401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "401", "")]
#[tokio::test]
async fn a_response_is_measured_to_its_end(#[case] response: &'static str, #[case] status: &str, #[case] error: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        let (mut call, _) = listener.accept().await.expect("a call");
        let _ = call.read(&mut [0; 4096]).await;
        call.write_all(format!("HTTP/1.1 {response}").as_bytes()).await.expect("written");
        // Open until the client closes it.
        while call.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {}
    });
    let labels = format!("http_response_status_code=\"{status}\",error_type=\"{error}\"");
    assert_eq!(labels_of_a_call(&address).await, labels);
}

#[tokio::test]
async fn a_finance_that_does_not_listen_is_a_failure_to_connect() {
    let labels = labels_of_a_call("127.0.0.1:1").await;
    assert_eq!(labels, "http_response_status_code=\"\",error_type=\"connect\"");
}
