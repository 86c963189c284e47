//! WebSockets whose clients have not sent `connection_init`, or are idle.

use chassis::{config::Access, gate::connections::Limits};
use rstest::rstest;
use serde_json::json;
use testkit::Socket;

use super::{serve, serve_to};

/// Of 100 places one address gets half.
const PLACES: usize = 50;

#[rstest]
#[case::below_the_limit(11_000, true)]
#[case::above_it(13_000, false)]
#[tokio::test]
async fn a_client_may_send_12_kib_before_it_is_known(#[case] length: usize, #[case] may: bool) {
    let api = serve();
    let mut socket = Socket::connect(&api.service.client.base, &[]).await.expect("an upgrade");
    socket.send(json!({ "type": "ping", "payload": { "long": "a".repeat(length) } })).await;
    if may {
        assert_eq!(socket.next().await["type"], "pong");
    } else {
        assert_eq!(socket.closed().await, 1008);
    }
}

#[tokio::test]
async fn a_client_that_is_known_may_send_more() {
    let api = serve();
    let mut socket = Socket::introduced(&api.service.client.base).await;
    for _ in 0..5 {
        socket.send(json!({ "type": "ping", "payload": { "long": "a".repeat(200_000) } })).await;
        assert_eq!(socket.next().await["type"], "pong");
    }
}

#[tokio::test]
async fn few_sockets_may_wait_for_credentials() {
    let api = serve();
    let base = &api.service.client.base;
    let mut waiting = Vec::new();
    for _ in 0..PLACES {
        waiting.push(Socket::connect(base, &[]).await.expect("an upgrade"));
    }
    assert_eq!(Socket::connect(base, &[]).await.expect_err("a refusal").as_u16(), 503);
    let credentials = [("authorization", "Basic YWRtaW46dGVzdGUxMjM=")];
    assert!(Socket::connect(base, &credentials).await.is_ok());

    // A client that sends it does not wait any longer.
    let payload = json!({ "Authorization": "Basic YWRtaW46dGVzdGUxMjM=" });
    waiting[0].send(json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(waiting[0].next().await["type"], "connection_ack");
    assert!(Socket::connect(base, &[]).await.is_ok());
}

#[tokio::test]
async fn an_idle_socket_makes_room_and_one_with_a_subscription_does_not() {
    let access = Access::User { username: "admin".to_owned(), password: "teste123".into() };
    let api = serve_to(&access, Limits { connections: 2, ..Limits::default() });
    let base = &api.service.client.base;
    let mut busy = Socket::introduced(base).await;
    busy.subscribe("a", "subscription { oneAndNoMore }", json!({})).await;
    assert_eq!(busy.next().await["type"], "next");
    let mut idle = Socket::introduced(base).await;
    let _new = Socket::introduced(base).await;
    assert_eq!(idle.closed().await, 1013);
    busy.send(json!({ "type": "ping" })).await;
    assert_eq!(busy.next().await["type"], "pong");
}

#[rstest]
#[case::longest(128, None)]
#[case::too_long(129, Some(4400))]
#[tokio::test]
async fn the_id_of_an_operation_has_at_most_128_bytes(#[case] length: usize, #[case] close: Option<u16>) {
    let api = serve();
    let mut socket = Socket::introduced(&api.service.client.base).await;
    socket.subscribe(&"a".repeat(length), "{ hello }", json!({})).await;
    match close {
        Some(code) => assert_eq!(socket.closed().await, code),
        None => assert_eq!(socket.next().await["type"], "next"),
    }
}
