//! The protocol graphql-transport-ws.

use std::sync::atomic::Ordering;

use rstest::rstest;
use serde_json::{Value, json};
use testkit::Socket;

use super::{RIGHT, WRONG, serve};

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
    // Nothing follows it: the next is the answer to this.
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
#[case::at_the_upgrade(Some(RIGHT), json!(null))]
#[case::later(None, json!({ "Authorization": RIGHT }))]
#[case::later_in_lower_case(None, json!({ "authorization": RIGHT }))]
#[tokio::test]
async fn credentials_come_with_the_upgrade_or_with_the_introduction(
    #[case] header: Option<&str>,
    #[case] payload: Value,
) {
    let api = serve();
    let headers: Vec<_> = header.map(|value| ("authorization", value)).into_iter().collect();
    let mut socket = Socket::connect(&api.client.base, &headers).await.expect("an upgrade");
    socket.send(json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(socket.next().await, json!({ "type": "connection_ack" }));
}

#[rstest]
#[case(json!(null))]
#[case(json!({}))]
#[case(json!([1]))]
#[case(json!({ "Authorization": WRONG }))]
#[case(json!({ "Authorization": "\n" }))]
#[case(json!({ "Authorization": { "Basic": "YWRtaW46dGVzdGUxMjM=" } }))]
#[tokio::test]
async fn without_credentials_the_connection_is_closed(#[case] payload: Value) {
    let api = serve();
    let mut socket = Socket::connect(&api.client.base, &[]).await.expect("an upgrade");
    socket.send(json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(socket.closed().await, 4403);
}

#[rstest]
#[case::wrong_credentials(&[("authorization", WRONG)], 401)]
#[case::another_site(&[("authorization", RIGHT), ("origin", "https://evil.example")], 403)]
#[case::a_file(&[("authorization", RIGHT), ("origin", "null")], 403)]
#[case::another_site_without_credentials(&[("sec-fetch-site", "cross-site")], 403)]
#[case::another_service_of_the_domain(&[("sec-fetch-site", "same-site")], 403)]
#[tokio::test]
async fn an_upgrade_is_refused(#[case] headers: &[(&str, &str)], #[case] status: u16) {
    let api = serve();
    let refused = Socket::connect(&api.client.base, headers).await.expect_err("a refusal");
    assert_eq!(refused.as_u16(), status);
}

#[tokio::test]
async fn a_page_of_the_same_origin_may_connect() {
    let api = serve();
    let base = &api.client.base;
    assert!(Socket::connect(base, &[("authorization", RIGHT), ("origin", base)]).await.is_ok());
}

#[tokio::test]
async fn another_protocol_is_refused() {
    let api = serve();
    for path in ["/graphql", "/graphql/"] {
        let upgrade = api.client.get(path).basic_auth("admin", Some("teste123"));
        let upgrade = upgrade.header("connection", "upgrade").header("upgrade", "websocket");
        let upgrade =
            upgrade.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").header("sec-websocket-version", "13");
        let answer = upgrade.header("sec-websocket-protocol", "graphql-ws").send().await.expect("an answer");
        assert_eq!(answer.status(), 400);
        assert!(answer.text().await.expect("a text").contains("graphql-transport-ws"));
    }
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
async fn a_connection_ends_when_its_credentials_expire() {
    let api = serve();
    let mut socket = Socket::introduced(&api.client.base).await;
    api.expired.cancel();
    assert_eq!(socket.closed().await, 4403);
}
