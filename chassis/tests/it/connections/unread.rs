//! Clients that do not read their responses.

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    routing::get,
};
use chassis::gate::connections::Limits;
use futures_util::{StreamExt, stream};
use rstest::rstest;
use tokio::{io::AsyncReadExt, sync::mpsc, time::timeout};

use super::{
    TEST_TIMEOUT, ask,
    http2::{HEADERS, Http2},
    read_until, routes, serve, unlimited,
};

const SHORT_LIMIT: Duration = Duration::from_millis(300);

/// Notifies when it is dropped.
struct Guard(mpsc::UnboundedSender<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        // The test may be over.
        let _ = self.0.send(());
    }
}

#[tokio::test]
async fn events_that_nobody_reads_end() {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let endless = async move || {
        let guard = Guard(sender.clone());
        let event = Bytes::from(vec![b'a'; 1024]);
        Body::from_stream(stream::repeat(event).map(move |event| {
            let _until_dropped = &guard;
            Ok::<_, Infallible>(event)
        }))
    };
    let server = serve(Limits { write: SHORT_LIMIT, ..unlimited() }, Router::new().route("/endless", get(endless)));
    let _client = ask(&server, "/endless").await;
    timeout(TEST_TIMEOUT, receiver.recv()).await.expect("ended in time");
}

#[rstest]
#[case::none(0)]
#[case::a_byte(1)]
#[case::some(65_535)]
#[tokio::test]
async fn an_http2_client_whose_window_stays_shut_is_closed(#[case] window: u32) {
    let server = serve(Limits { write: SHORT_LIMIT, ..unlimited() }, routes());
    let mut client = Http2::open(&server, window).await;
    client.ask(1, "/large").await;
    let kinds = client.kinds_until_closed().await;
    assert!(kinds.contains(&HEADERS), "{kinds:?}");
}

#[tokio::test]
async fn a_client_that_reads_something_else_meanwhile_is_closed_too() {
    let server = serve(Limits { write: SHORT_LIMIT, ..unlimited() }, routes());
    let mut client = Http2::open(&server, 1).await;
    client.ask(1, "/large").await;
    let asking = async {
        let mut streams = (3..).step_by(2);
        while client.stays_open(SHORT_LIMIT / 4).await {
            client.ask(streams.next().expect("endless"), "/").await;
        }
    };
    timeout(TEST_TIMEOUT, asking).await.expect("closed in time");
}

#[tokio::test]
async fn a_client_that_reads_slowly_is_not_closed() {
    let server = serve(Limits { write: SHORT_LIMIT, ..unlimited() }, routes());
    let mut client = ask(&server, "/large").await;
    read_until(&mut client, "\r\n\r\n").await;
    for _ in 0..5 {
        tokio::time::sleep(SHORT_LIMIT / 2).await;
        let mut bytes = vec![0; 512 * 1024];
        client.read_exact(&mut bytes).await.expect("more");
    }
}

#[tokio::test]
async fn unread_answers_of_all_clients_together_are_bounded() {
    let server = serve(Limits { unread_answers: 9 * 1024 * 1024, ..unlimited() }, routes());
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = Http2::open(&server, 0).await;
        client.ask(1, "/large").await;
        clients.push(client);
    }
    // One of three responses of 8 MiB fits.
    let mut open = 0;
    for client in &mut clients {
        open += usize::from(client.stays_open(Duration::from_secs(4)).await);
    }
    assert_eq!(open, 1);
}
