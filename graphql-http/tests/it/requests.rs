//! Requests: which are executed, and the errors of those that are not.

use axum::http::Method;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::Answer;

use super::api;

const GREET: &str = "query Greet($name: String!) { hello(name: $name) } query Plain { hello }";

#[tokio::test]
async fn a_get_runs_the_named_query_with_its_variables() {
    let api = api::serve();
    let variables = ("variables", "{\"name\":\"you & me\"}");
    let greeted = api.get(&[("query", GREET), ("operationName", "Greet"), variables]).await;
    assert_eq!((greeted.status, &greeted.body), (200, &json!({ "data": { "hello": "hello you & me" } })));
    let plain = api.get(&[("query", GREET), ("operationName", "Plain")]).await;
    assert_eq!(plain.body["data"]["hello"], "hello world");
}

#[tokio::test]
async fn a_post_runs_the_named_query_with_its_variables() {
    let api = api::serve();
    let request = json!({ "query": GREET, "operationName": "Greet", "variables": { "name": "you" } });
    let answer = api.post_json(request).await;
    assert_eq!((answer.status, &answer.body), (200, &json!({ "data": { "hello": "hello you" } })));
}

#[tokio::test]
async fn null_is_the_same_as_absent() {
    let api = api::serve();
    let nulls = json!({ "query": "{ hello }", "operationName": null, "variables": null, "extensions": null });
    assert_eq!(api.post_json(nulls).await.body["data"]["hello"], "hello world");
    for empty in ["", "null"] {
        let answer = api.get(&[("query", "{ hello }"), ("variables", empty), ("extensions", empty)]).await;
        assert_eq!(answer.body["data"]["hello"], "hello world", "{empty}");
    }
}

#[rstest]
#[case::not_json("{\"query\": \"{ hello }\"")]
#[case::not_utf8_json("\u{fffd}")]
#[case::empty("")]
#[case::a_string("\"{ hello }\"")]
#[case::no_query("{}")]
#[case::a_query_that_is_null(r#"{"query": null}"#)]
#[case::a_query_that_is_a_number(r#"{"query": 7}"#)]
#[case::a_query_given_twice(r#"{"query": "{ hello }", "query": "{ hello }"}"#)]
#[case::variables_that_are_a_list(r#"{"query": "{ hello }", "variables": []}"#)]
#[case::variables_that_are_a_string(r#"{"query": "{ hello }", "variables": "{}"}"#)]
#[case::an_operation_name_that_is_a_number(r#"{"query": "{ hello }", "operationName": 7}"#)]
#[case::extensions_that_are_a_string(r#"{"query": "{ hello }", "extensions": "x"}"#)]
#[case::a_batch(r#"[{"query": "{ hello }"}]"#)]
#[case::a_batch_behind_a_blank(" [{\"query\": \"{ hello }\"}]")]
#[case::parameters_without_names(" [\"{ hello }\", null, null, null]")]
#[tokio::test]
async fn a_malformed_body_is_a_bad_request(#[case] body: &'static str) {
    let answer = api::serve().post("application/json", body).await;
    assert_eq!((answer.status, answer.code()), (400, "BAD_REQUEST"), "{}", answer.body);
    assert_eq!(answer.body.get("data"), None);
}

#[rstest]
#[case::no_query(&[("variables", "{}")])]
#[case::a_query_given_twice(&[("query", "{ hello }"), ("query", "{ hello }")])]
#[case::variables_that_are_no_json(&[("query", "{ hello }"), ("variables", "name")])]
#[case::variables_that_are_a_list(&[("query", "{ hello }"), ("variables", "[]")])]
#[case::extensions_that_are_a_number(&[("query", "{ hello }"), ("extensions", "7")])]
#[tokio::test]
async fn a_malformed_query_string_is_a_bad_request(#[case] parameters: &[(&str, &str)]) {
    let answer = api::serve().get(parameters).await;
    assert_eq!((answer.status, answer.code()), (400, "BAD_REQUEST"), "{}", answer.body);
}

#[tokio::test]
async fn a_batch_is_told_to_send_one_operation_a_request() {
    let answer = api::serve().post_json(json!([{ "query": "{ hello }" }])).await;
    let message = answer.body["errors"][0]["message"].as_str().unwrap_or_default();
    assert!(message.contains("one operation per request"), "{message}");
}

#[tokio::test]
async fn a_body_may_have_256_kib_and_not_a_byte_more() {
    let api = api::serve();
    let mut body = json!({ "query": "{ hello }" }).to_string();
    body += &" ".repeat(256 * 1024 - body.len());
    assert_eq!(api.post("application/json", body.clone()).await.status, 200);
    body.push(' ');
    let refused = api.post("application/json", body).await;
    assert_eq!((refused.status, refused.code()), (413, "BAD_REQUEST"));
    assert_eq!(refused.body["errors"][0]["message"], "The body is over 256 kB");
}

#[rstest]
#[case::gzip("gzip")]
#[case::brotli("br")]
#[case::two("identity, deflate")]
#[tokio::test]
async fn a_compressed_body_is_refused_as_such(#[case] coding: &str) {
    let api = api::serve();
    let request = api.client.post().header("content-type", "application/json");
    let refused = Answer::of(request.header("content-encoding", coding).body("\u{1f}")).await;
    assert_eq!((refused.status, refused.code()), (415, "BAD_REQUEST"));
    let message = refused.body["errors"][0]["message"].as_str().unwrap_or_default();
    assert!(message.contains(&format!("content-encoding: {coding}")), "{message}");
}

#[tokio::test]
async fn a_body_that_is_not_compressed_may_say_so() {
    let api = api::serve();
    let request = api.client.post().header("content-type", "application/json").header("content-encoding", "Identity");
    assert_eq!(Answer::of(request.body(r#"{"query": "{ hello }"}"#)).await.status, 200);
}

#[tokio::test]
async fn a_byte_order_mark_before_json_is_taken_for_nothing() {
    let answer = api::serve().post("application/json", "\u{feff}{\"query\": \"{ hello }\"}").await;
    assert_eq!(answer.body["data"]["hello"], "hello world", "{}", answer.body);
}

#[tokio::test]
async fn the_path_may_end_with_a_slash() {
    let api = api::serve();
    let by_post = api.client.request(Method::POST, "/graphql/").header("content-type", "application/json");
    let by_get = api.client.get("/graphql/?query={hello}");
    for request in [by_post.body(r#"{"query": "{ hello }"}"#), by_get] {
        assert_eq!(Answer::of(request).await.body["data"]["hello"], "hello world");
    }
}

#[tokio::test]
async fn fields_that_differ_in_their_arguments_are_named_by_their_places() {
    let answer =
        api::serve().post_json(json!({ "query": "{ page(first: 1) { value } page(first: 2) { value } }" })).await;
    assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
    let message = answer.body["errors"][0]["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("The fields at 1:3 and 1:28 have the same response key"), "{message}");
}

#[tokio::test]
async fn an_operation_that_does_not_exist_is_not_replaced_by_another() {
    let api = api::serve();
    for (query, name) in [(GREET, "Other"), ("{ hello }", "Other")] {
        let answer = api.get(&[("query", query), ("operationName", name)]).await;
        assert_eq!((answer.code(), answer.body.get("data")), ("OPERATION_RESOLUTION_FAILURE", None::<&Value>));
    }
}
