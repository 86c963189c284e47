//! Only a POST of JSON changes anything. A page of any site can send everything else, with the browser's stored
//! credentials.

use axum::{
    body::Body,
    http::{Method, Request},
};
use rstest::rstest;
use serde_json::json;
use tower::ServiceExt;

use super::api;

const TOUCH: &str = r#"{"query": "mutation { touch }"}"#;

#[tokio::test]
async fn a_post_of_json_runs_a_mutation() {
    let api = api::serve();
    let answer = api.post("application/json", TOUCH).await;
    assert_eq!((answer.status, &answer.body), (200, &json!({ "data": { "touch": 1 } })));
    assert_eq!(api.touched(), 1);
}

#[rstest]
#[case::alone("mutation { touch }", None)]
#[case::named("mutation M { touch }", Some("M"))]
#[case::chosen_among_several("query Q { hello } mutation M { touch }", Some("M"))]
#[case::behind_a_fragment("fragment F on Mutation { touch } mutation { ...F }", None)]
#[tokio::test]
async fn a_get_never_runs_a_mutation(#[case] document: &str, #[case] operation_name: Option<&str>) {
    let api = api::serve();
    let mut parameters = vec![("query", document)];
    parameters.extend(operation_name.map(|name| ("operationName", name)));
    let answer = api.get(&parameters).await;
    assert_eq!((answer.status, answer.code(), api.touched()), (405, "BAD_REQUEST", 0), "{}", answer.body);
    assert_eq!(answer.headers["allow"], "POST");
}

#[rstest]
#[case::with_no_choice("query Q { hello } mutation M { touch }", "")]
#[case::with_a_name_for_the_nameless("mutation { touch }", "M")]
#[case::with_an_unknown_name("mutation M { touch }", "N")]
#[tokio::test]
async fn a_get_without_a_valid_choice_runs_nothing(#[case] document: &str, #[case] operation_name: &str) {
    let api = api::serve();
    let answer = api.get(&[("query", document), ("operationName", operation_name)]).await;
    assert_eq!((answer.body.get("data"), api.touched()), (None, 0), "{}", answer.body);
}

#[tokio::test]
async fn a_get_may_carry_mutations_that_it_does_not_choose() {
    let api = api::serve();
    let document = "query Q { hello } mutation M { touch }";
    let answer = api.get(&[("query", document), ("operationName", "Q")]).await;
    assert_eq!((&answer.body["data"]["hello"], api.touched()), (&json!("hello world"), 0));
}

#[tokio::test]
async fn a_subscription_is_refused_by_get_and_by_post_without_a_stream() {
    let api = api::serve();
    let document = "subscription { ticks }";
    let answer = api.get(&[("query", document)]).await;
    assert_eq!((answer.status, answer.code()), (406, "BAD_REQUEST"));
    let answer = api.post_json(json!({ "query": document })).await;
    assert_eq!((answer.status, answer.code(), answer.body.get("data")), (406, "BAD_REQUEST", None));
}

#[rstest]
#[case::head(Method::HEAD)]
#[case::put(Method::PUT)]
#[case::patch(Method::PATCH)]
#[case::delete(Method::DELETE)]
#[case::options(Method::OPTIONS)]
#[tokio::test]
async fn no_other_method_runs_a_mutation(#[case] method: Method) {
    let (router, touched) = api::routes();
    let request = Request::builder().method(method).uri("/graphql").header("content-type", "application/json");
    let answer = router.oneshot(request.body(Body::from(TOUCH)).expect("a request")).await.expect("an answer");
    assert!(answer.status().is_client_error(), "{}", answer.status());
    assert_eq!(touched.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[rstest]
#[case::text("text/plain")]
#[case::a_form("application/x-www-form-urlencoded")]
#[case::a_form_with_files("multipart/form-data; boundary=x")]
#[case::json_in_a_parameter("text/plain; application/json")]
#[case::something_like_json("application/json-seq")]
#[case::nonsense("json")]
#[case::another_charset("application/json; charset=utf-16")]
#[case::two_types("application/json, text/plain")]
#[tokio::test]
async fn a_post_of_anything_but_json_is_not_executed(#[case] content_type: &str) {
    let api = api::serve();
    let answer = api.post(content_type, TOUCH).await;
    assert_eq!((answer.status, answer.code(), api.touched()), (415, "BAD_REQUEST", 0));
}

#[tokio::test]
async fn a_post_without_a_content_type_is_not_executed() {
    let api = api::serve();
    let answer = testkit::Answer::of(api.client.post().body(TOUCH)).await;
    assert_eq!((answer.status, answer.code(), api.touched()), (415, "BAD_REQUEST", 0));
}
