//! The protocol graphql-transport-ws.

use std::sync::atomic::Ordering;

use rstest::rstest;
use serde_json::{Value, json};
use testkit::Socket;

use super::{RIGHT, serve};

fn next(id: &str, data: &Value) -> Value {
    json!({ "type": "next", "id": id, "payload": { "data": data } })
}

fn complete(id: &str) -> Value {
    json!({ "type": "complete", "id": id })
}

#[tokio::test]
async fn a_subscription_has_its_answers_in_order_and_then_is_complete() {
    let api = serve();
    let mut socket = Socket::introduced(&api.client.base).await;
    socket.subscribe("a", "subscription ($to: Int!) { ticks(to: $to) }", json!({ "to": 2 })).await;
    for tick in 1..=2 {
        assert_eq!(socket.next().await, next("a", &json!({ "ticks": tick })));
    }
    assert_eq!(socket.next().await, complete("a"));
    // Its id is free again.
    socket.subscribe("a", "{ hello }", json!({})).await;
    assert_eq!(socket.next().await, next("a", &json!({ "hello": "world" })));
    assert_eq!(socket.next().await, complete("a"));
    socket.subscribe("b", "mutation { touch }", json!({})).await;
    assert_eq!(socket.next().await, next("b", &json!({ "touch": 1 })));
    assert_eq!((socket.next().await, api.touched.load(Ordering::SeqCst)), (complete("b"), 1));
}

#[rstest]
#[case("subscription { nonsense }", "GRAPHQL_VALIDATION_FAILED")]
#[case("subscription {", "GRAPHQL_PARSE_FAILED")]
#[case("subscription ($to: Int!) { ticks(to: $to) }", "GRAPHQL_VALIDATION_FAILED")]
#[tokio::test]
async fn an_operation_that_is_not_executed_ends_with_an_error(#[case] query: &str, #[case] code: &str) {
    let api = serve();
    let mut socket = Socket::introduced(&api.client.base).await;
    socket.subscribe("a", query, json!({})).await;
    let error = socket.next().await;
    assert_eq!((&error["type"], &error["id"]), (&json!("error"), &json!("a")));
    assert_eq!(error["payload"][0]["extensions"]["code"], code, "{error}");
    // No other message comes in between: the next one is the answer to this.
    socket.send(json!({ "type": "ping", "payload": { "at": 1 } })).await;
    assert_eq!(socket.next().await, json!({ "type": "pong", "payload": { "at": 1 } }));
}

#[tokio::test]
async fn a_fault_of_a_subscription_is_masked() {
    let api = serve();
    let mut socket = Socket::introduced(&api.client.base).await;
    socket.subscribe("a", "subscription { fault }", json!({})).await;
    assert_eq!(socket.next().await, next("a", &json!({ "fault": 1 })));
    let fault = socket.next().await;
    assert_eq!(fault["payload"]["errors"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR", "{fault}");
    assert!(!fault.to_string().contains("hunter2"), "{fault}");
}

#[rstest]
#[case::not_json("nonsense", 4400)]
#[case::no_such_message(r#"{ "type": "nonsense" }"#, 4400)]
#[case::introduced_twice(r#"{ "type": "connection_init" }"#, 4429)]
#[tokio::test]
async fn a_client_that_breaks_the_protocol_is_told_how(#[case] message: &str, #[case] code: u16) {
    let api = serve();
    let mut socket = Socket::introduced(&api.client.base).await;
    socket.send_text(message).await;
    assert_eq!(socket.closed().await, code);
}

#[tokio::test]
async fn an_operation_before_the_introduction_closes_the_connection() {
    let api = serve();
    let headers = [("authorization", RIGHT)];
    let mut socket = Socket::connect(&api.client.base, &headers).await.expect("an upgrade");
    socket.subscribe("a", "{ hello }", json!({})).await;
    assert_eq!(socket.closed().await, 4401);
}

#[tokio::test]
async fn two_operations_with_one_id_close_the_connection() {
    let api = serve();
    let mut socket = Socket::introduced(&api.client.base).await;
    for _ in 0..2 {
        socket.subscribe("a", "subscription { oneAndNoMore }", json!({})).await;
    }
    assert_eq!(socket.closed_at_last().await, 4409);
}

#[tokio::test]
async fn a_connection_has_a_hundred_operations_at_most() {
    let api = serve();
    let mut socket = Socket::introduced(&api.client.base).await;
    for number in 0..=100 {
        socket.subscribe(&number.to_string(), "subscription { oneAndNoMore }", json!({})).await;
    }
    let refusal = loop {
        let message = socket.next().await;
        if message["type"] != "next" {
            break message;
        }
    };
    assert_eq!((&refusal["id"], &refusal["payload"][0]["extensions"]["code"]), (&json!("100"), &json!("OVERLOADED")));
}

#[tokio::test]
async fn at_shutdown_the_client_is_sent_away() {
    let api = serve();
    let mut socket = Socket::introduced(&api.client.base).await;
    socket.subscribe("a", "subscription { oneAndNoMore }", json!({})).await;
    assert_eq!(socket.next().await, next("a", &json!({ "oneAndNoMore": 1 })));
    api.shutdown.cancel();
    assert_eq!(socket.closed().await, 1001);
}

#[rstest]
#[case::at_the_end("{ long(length: 2000000) }")]
#[case::in_between("subscription { longerAndLonger }")]
#[tokio::test]
async fn a_message_of_over_1_mib_is_told_to_be_too_large(#[case] query: &str) {
    let api = serve();
    let mut socket = Socket::introduced(&api.client.base).await;
    socket.subscribe("a", query, json!({})).await;
    loop {
        let message = socket.next().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!("a")), "it is not complete before");
        if message["payload"]["data"].is_null() {
            assert_eq!(message["payload"]["errors"][0]["extensions"]["code"], "ANSWER_TOO_LARGE", "{message}");
            break;
        }
    }
}

#[tokio::test]
async fn a_client_that_closes_has_its_close_answered() {
    let api = serve();
    // A race lost now and then is one that clients lose.
    for _ in 0..50 {
        let socket = Socket::introduced(&api.client.base).await;
        assert_eq!(socket.close().await, Some(1000));
    }
}
