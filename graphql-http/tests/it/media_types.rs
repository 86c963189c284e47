//! Media types of requests and responses.

use axum::{body::Body, http::Request};
use rstest::rstest;
use serde_json::json;
use tower::ServiceExt;

use super::api;

const QUERY: &str = r#"{"query": "{ hello }"}"#;
const NEW: &str = "application/graphql-response+json; charset=utf-8";
const OLD: &str = "application/json; charset=utf-8";

#[rstest]
#[case::plain("application/json")]
#[case::with_charset("application/json; charset=utf-8")]
#[case::with_charset_in_capitals("application/json;charset=UTF-8")]
#[case::with_charset_in_quotes("application/json; charset=\"utf-8\"")]
#[case::in_capitals("Application/JSON")]
#[case::with_another_parameter("application/json; profile=x")]
#[tokio::test]
async fn json_may_be_announced_in_many_ways(#[case] content_type: &str) {
    let answer = api::serve().post(content_type, QUERY).await;
    assert_eq!((answer.status, &answer.body["data"]["hello"]), (200, &json!("hello world")));
}

#[rstest]
#[case::the_new_type("application/graphql-response+json", NEW)]
#[case::the_new_type_with_a_parameter("application/graphql-response+json; charset=utf-8", NEW)]
#[case::the_old_type("application/json", OLD)]
#[case::anything("*/*", OLD)]
#[case::any_application("application/*", OLD)]
#[case::both_the_first_wins("application/graphql-response+json, application/json", NEW)]
#[case::both_the_first_wins_again("application/json, application/graphql-response+json", OLD)]
#[case::the_new_type_preferred("application/json; q=0.9, application/graphql-response+json", NEW)]
#[case::the_old_type_preferred("application/graphql-response+json;q=0.4, application/json;q=0.5", OLD)]
#[case::a_type_ruled_out("application/json; q=0, application/graphql-response+json; q=0.1", NEW)]
#[case::as_apollo_asks("application/graphql-response+json,application/json;q=0.9", NEW)]
#[case::as_browsers_ask("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", OLD)]
#[case::as_java_asks("text/html, image/gif, *; q=.2, */*; q=.2", OLD)]
#[case::nothing("", OLD)]
#[case::a_comma(",", OLD)]
#[case::what_cannot_be_read("caf\u{e9}", OLD)]
#[case::a_blank_before_a_parameter("application/json ;q=1", OLD)]
#[tokio::test]
async fn the_client_chooses_the_type_of_the_answer(#[case] accept: &str, #[case] content_type: &str) {
    let answer = api::serve().ask_in(accept, "{ hello }").await;
    assert_eq!((answer.status, &answer.headers["content-type"]), (200, &content_type.parse().expect("a value")));
    assert_eq!(answer.body, json!({ "data": { "hello": "hello world" } }));
}

#[tokio::test]
async fn a_client_that_does_not_say_gets_json() {
    let request = Request::post("/graphql").header("content-type", "application/json").body(Body::from(QUERY));
    let (router, _) = api::routes();
    let answer = router.oneshot(request.expect("a request")).await.expect("an answer");
    assert_eq!((answer.status().as_u16(), &answer.headers()["content-type"]), (200, &OLD.parse().expect("a value")));
}

#[rstest]
#[case::a_page("text/html")]
#[case::a_refusal_of_all("*/*; q=0")]
#[case::json_of_another_kind("application/problem+json")]
#[case::nonsense("json")]
#[tokio::test]
async fn a_client_that_takes_neither_type_is_refused_before_anything_runs(#[case] accept: &str) {
    let api = api::serve();
    let answer = api.ask_in(accept, "mutation { touch }").await;
    assert_eq!((answer.status, answer.code(), api.touched()), (406, "BAD_REQUEST", 0));
    assert_eq!(answer.headers["content-type"], OLD);
}

#[tokio::test]
async fn another_charset_is_refused_by_its_name() {
    let refused = api::serve().post("application/json; charset=UTF-16", QUERY).await;
    assert_eq!((refused.status, refused.code()), (415, "BAD_REQUEST"));
    let message = refused.body["errors"][0]["message"].as_str().unwrap_or_default();
    assert!(message.contains("charset=UTF-16") || message.contains("charset=utf-16"), "{message}");
    assert!(message.contains("send JSON in UTF-8"), "{message}");
}
