//! Streams and the users that opened them.

use chassis::gate::connections::Limits;
use serde_json::json;
use testkit::Socket;

use super::{Users, serve, serve_to};

const RIGHT: &str = "Basic YWRtaW46dGVzdGUxMjM=";
const WRONG: &str = "Basic YWRtaW46d3Jvbmc=";

#[tokio::test]
async fn passwords_are_guessed_no_faster_by_introductions_and_upgrades() {
    let api = serve();
    let base = &api.service.client.base;
    for _ in 0..5 {
        let mut socket = Socket::connect(base, &[]).await.expect("an upgrade");
        socket.send(json!({ "type": "connection_init", "payload": { "Authorization": WRONG } })).await;
        assert_eq!(socket.closed().await, 4403);
        assert_eq!(Socket::connect(base, &[("authorization", WRONG)]).await.expect_err("a refusal").as_u16(), 401);
    }
    let mut socket = Socket::connect(base, &[]).await.expect("an upgrade");
    socket.send(json!({ "type": "connection_init", "payload": { "Authorization": RIGHT } })).await;
    assert_eq!(socket.closed().await, 1013);
    assert_eq!(Socket::connect(base, &[("authorization", RIGHT)]).await.expect_err("a refusal").as_u16(), 429);
}

#[tokio::test]
async fn a_connection_does_not_outlive_the_users_that_opened_it() {
    let users = Users::of(&["admin", "other"]);
    let api = serve_to(&users.access(), Limits::default());
    let mut socket = Socket::introduced(&api.service.client.base).await;
    users.become_these(&["other"]);
    assert!(api.authenticator.renew().expect("renewed"));
    assert_eq!(socket.closed().await, 4403);
}

#[tokio::test]
async fn events_do_not_outlive_the_users_that_asked_for_them() {
    let users = Users::of(&["admin", "other"]);
    let api = serve_to(&users.access(), Limits::default());
    let mut events = api.service.client.events("subscription { oneAndNoMore }", json!({})).await;
    assert_eq!(events.next().await, Some(json!({ "data": { "oneAndNoMore": 1 } })));
    users.become_these(&["other"]);
    assert!(api.authenticator.renew().expect("renewed"));
    assert_eq!(events.next().await, None);
}
