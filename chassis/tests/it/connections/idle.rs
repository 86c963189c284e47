//! Idle and old connections.

use std::time::Duration;

use chassis::gate::connections::Limits;
use rstest::rstest;

use super::{
    ask, connect,
    http2::{GOAWAY, HEADERS, Http2, frame},
    read_all, read_until, routes, send, serve, unlimited,
};

const SHORT_LIMIT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn an_http2_connection_that_is_idle_is_sent_away() {
    let server = serve(Limits { idle: SHORT_LIMIT, ..unlimited() }, routes());
    let mut client = Http2::open(&server, 65_535).await;
    client.ask(1, "/").await;
    client.next(HEADERS).await;
    client.next(GOAWAY).await;
    client.kinds_until_closed().await;
}

#[tokio::test]
async fn a_silent_http2_client_is_closed_after_the_good_bye() {
    let server = serve(Limits { idle: SHORT_LIMIT, ..unlimited() }, routes());
    let mut client = Http2::open(&server, 65_535).await;
    client.ask(1, "/").await;
    assert!(client.kinds_until_closed().await.contains(&GOAWAY));
}

#[tokio::test]
async fn an_http1_connection_that_is_idle_is_closed() {
    let server = serve(Limits { head: SHORT_LIMIT, ..unlimited() }, routes());
    let mut client = ask(&server, "/").await;
    read_until(&mut client, "ok").await;
    read_all(&mut client).await;
}

#[rstest]
#[case::nothing(b"")]
#[case::half_a_head(b"GET / HTTP/1.1\r\nHost: any\r\n")]
#[case::half_a_preface(b"PRI * HTTP/2.0\r\n")]
#[case::no_request(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")]
#[tokio::test]
async fn a_client_that_does_not_ask_is_closed(#[case] beginning: &[u8]) {
    let server = serve(Limits { head: SHORT_LIMIT, ..unlimited() }, routes());
    let mut client = connect(&server).await;
    send(&mut client, beginning).await;
    read_all(&mut client).await;
}

#[tokio::test]
async fn an_old_connection_finishes_what_it_began_and_takes_no_more() {
    let server = serve(Limits { age: SHORT_LIMIT, ..unlimited() }, routes());
    let mut client = Http2::open(&server, 65_535).await;
    client.ask(1, "/events").await;
    client.next(GOAWAY).await;
    // The event stream continues until it is cancelled.
    assert!(client.stays_open(SHORT_LIMIT).await);
    let (reset, cancel) = (3, [0, 0, 0, 8]);
    send(&mut client.0, &frame(reset, 0, 1, &cancel)).await;
    client.kinds_until_closed().await;
}

#[tokio::test]
async fn a_request_in_progress_is_not_idle() {
    let server = serve(Limits { idle: SHORT_LIMIT, head: SHORT_LIMIT, ..unlimited() }, routes());
    let mut client = Http2::open(&server, 65_535).await;
    client.ask(1, "/events").await;
    assert!(client.stays_open(4 * SHORT_LIMIT).await);
}

#[tokio::test]
async fn a_shutdown_closes_what_is_idle_and_finishes_what_was_begun() {
    let server = serve(unlimited(), routes());
    let (mut idle, mut busy) = (ask(&server, "/").await, connect(&server).await);
    read_until(&mut idle, "ok").await;
    send(&mut busy, b"POST / HTTP/1.1\r\nHost: any\r\nContent-Length: 3\r\n\r\nab").await;
    // It is in progress once a later one is answered.
    read_until(&mut ask(&server, "/").await, "ok").await;
    server.shutdown.cancel();
    read_all(&mut idle).await;
    send(&mut busy, b"c").await;
    assert!(String::from_utf8_lossy(&read_all(&mut busy).await).ends_with("\r\n3"));
}
