//! Clients that send many useless bytes.

use chassis::gate::connections::Limits;
use rstest::rstest;
use tokio::{io::AsyncWriteExt, time::timeout};

use super::{
    TEST_TIMEOUT, connect,
    http2::{HEADERS, Http2, PRIORITY, SETTINGS, frame},
    read_all, routes, serve, unlimited,
};

#[tokio::test]
async fn a_head_of_more_than_32_kib_is_refused_before_it_ends() {
    let server = serve(unlimited(), routes());
    let mut client = connect(&server).await;
    let head = format!("GET / HTTP/1.1\r\nHost: any\r\nX-Long: {}", "a".repeat(40_000));
    // The server may close before everything is sent.
    drop(client.write_all(head.as_bytes()).await);
    let answer = read_all(&mut client).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
}

#[rstest]
#[case::priority(frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 16]))]
#[case::settings(frame(SETTINGS, 0, 0, &[]))]
#[case::unknown(frame(99, 0, 0, &[0; 100]))]
#[tokio::test]
async fn a_flood_of_frames_without_a_request_ends_its_connection(#[case] flood: Vec<u8>) {
    let server = serve(unlimited(), routes());
    let mut client = Http2::open(&server, 65_535).await;
    client.ask(1, "/").await;
    client.next(HEADERS).await;
    let (mut reader, mut writer) = client.0.split();
    let burst = flood.repeat(1_000);
    let flooding = async { while writer.write_all(&burst).await.is_ok() {} };
    let mut sink = tokio::io::sink();
    let ended = timeout(TEST_TIMEOUT, async { tokio::join!(flooding, tokio::io::copy(&mut reader, &mut sink)) });
    drop(ended.await.expect("closed in time"));
}

#[tokio::test]
async fn a_large_upload_is_no_flood() {
    let server = serve(Limits { ..unlimited() }, routes());
    let client = chassis::http_client::builder().build().expect("a client");
    let url = format!("http://{}/", server.address);
    for _ in 0..3 {
        let answer = client.post(&url).body(vec![b'a'; 3_000_000]).send().await.expect("an answer");
        assert_eq!(answer.text().await.expect("a text"), "3000000");
    }
}
