//! Server-sent events, in the distinct connections mode of graphql-sse.

use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, Events};
use tokio::time::{Duration, Instant};

use super::{serve, serve_until};

#[tokio::test]
async fn a_subscription_has_its_answers_as_events_and_then_is_complete() {
    let api = serve();
    let mut events = api.client.events("subscription { ticks(to: 2) }", json!({})).await;
    for tick in 1..=2 {
        assert_eq!(events.next().await, Some(json!({ "data": { "ticks": tick } })));
    }
    assert_eq!((events.next().await, events.next().await), (Some(Value::Null), None));
}

#[tokio::test]
async fn a_subscription_may_be_asked_for_by_get_and_a_mutation_may_not() {
    let api = serve();
    let get = |query: &str| {
        let url = reqwest::Url::parse_with_params("http://any/graphql", [("query", query)]).expect("a URL");
        let path = format!("/graphql?{}", url.query().unwrap_or_default());
        api.client.get(&path).basic_auth("admin", Some("teste123"))
    };
    let mut events = Events::of(get("subscription { ticks(to: 1) }")).await;
    assert_eq!(events.next().await, Some(json!({ "data": { "ticks": 1 } })));
    let answer = Answer::of(get("mutation { touch }").header("accept", "text/event-stream")).await;
    assert_eq!((answer.status, &answer.headers["allow"]), (405, &"POST".parse().expect("a header")));
}

#[rstest]
#[case("{ hello }", json!({ "data": { "hello": "world" } }))]
#[case("mutation { touch }", json!({ "data": { "touch": 1 } }))]
#[tokio::test]
async fn who_takes_events_only_gets_every_answer_so(#[case] query: &str, #[case] answer: Value) {
    let api = serve();
    let mut events = api.client.events(query, json!({})).await;
    assert_eq!((events.next().await, events.next().await), (Some(answer), Some(Value::Null)));
}

#[rstest]
#[case("{", "GRAPHQL_PARSE_FAILED")]
#[case("subscription { nonsense }", "GRAPHQL_VALIDATION_FAILED")]
#[tokio::test]
async fn an_operation_that_is_not_executed_is_an_event_too(#[case] query: &str, #[case] code: &str) {
    let api = serve();
    let mut events = api.client.events(query, json!({})).await;
    let event = events.next().await.expect("an event");
    assert_eq!((&event["errors"][0]["extensions"]["code"], event.get("data")), (&json!(code), None));
    assert_eq!(events.next().await, Some(Value::Null));
}

#[tokio::test]
async fn who_takes_other_answers_too_gets_events_for_subscriptions_only() {
    let api = serve();
    let ask = |query: &str| {
        let request = api.client.post().basic_auth("admin", Some("teste123"));
        let request = request.header("content-type", "application/json").body(json!({ "query": query }).to_string());
        request.header("accept", "application/graphql-response+json, text/event-stream, multipart/mixed")
    };
    let answer = Answer::of(ask("{ hello }")).await;
    assert_eq!(answer.body, json!({ "data": { "hello": "world" } }));
    let mut events = Events::of(ask("subscription { ticks(to: 1) }")).await;
    assert_eq!(events.next().await, Some(json!({ "data": { "ticks": 1 } })));
}

#[tokio::test]
async fn at_shutdown_events_end_as_if_the_connection_was_lost() {
    let api = serve();
    let mut events = api.client.events("subscription { oneAndNoMore }", json!({})).await;
    assert_eq!(events.next().await, Some(json!({ "data": { "oneAndNoMore": 1 } })));
    api.shutdown.cancel();
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn an_event_of_over_1_mib_is_told_to_be_too_large_and_the_next_comes() {
    let api = serve();
    let mut events = api.client.events("subscription { longerAndLonger }", json!({})).await;
    assert_eq!(events.next().await, Some(json!({ "data": { "longerAndLonger": "x".repeat(10) } })));
    let large = events.next().await.expect("an event");
    assert_eq!((&large["data"], &large["errors"][0]["extensions"]["code"]), (&json!(null), &json!("ANSWER_TOO_LARGE")));
    assert_eq!(events.next().await, Some(json!({ "data": { "longerAndLonger": "x".repeat(20) } })));
}

#[tokio::test]
async fn events_end_when_their_credentials_expire() {
    let api = serve();
    let mut events = api.client.events("subscription { oneAndNoMore }", json!({})).await;
    assert_eq!(events.next().await, Some(json!({ "data": { "oneAndNoMore": 1 } })));
    api.expired.cancel();
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn events_end_at_the_time_their_credentials_expire() {
    let api = serve_until(Some(Instant::now() + Duration::from_secs(1)));
    let mut events = api.client.events("subscription { oneAndNoMore }", json!({})).await;
    assert_eq!(events.next().await, Some(json!({ "data": { "oneAndNoMore": 1 } })));
    assert_eq!(events.next().await, None);
}
