//! Invalid documents: nothing is executed, and the status depends on the client's media type.

use rstest::rstest;
use serde_json::{Value, json};

use super::api;

#[rstest]
#[case::not_parsable("{ hello", "GRAPHQL_PARSE_FAILED")]
#[case::empty("", "GRAPHQL_PARSE_FAILED")]
#[case::an_unknown_field("{ goodbye }", "GRAPHQL_VALIDATION_FAILED")]
#[case::an_unknown_argument("{ hello(to: \"x\") }", "GRAPHQL_VALIDATION_FAILED")]
#[case::a_missing_variable("query ($name: String!) { hello(name: $name) }", "GRAPHQL_VALIDATION_FAILED")]
#[case::a_missing_variable_of_a_directive(
    "query ($yes: Boolean!) { hello @include(if: $yes) }",
    "GRAPHQL_VALIDATION_FAILED"
)]
#[case::no_choice_among_operations("query A { hello } query B { hello }", "OPERATION_RESOLUTION_FAILURE")]
#[case::partly_valid("mutation { touch goodbye }", "GRAPHQL_VALIDATION_FAILED")]
#[tokio::test]
async fn an_invalid_document_is_not_executed(
    #[values(("application/graphql-response+json", 400), ("application/json", 200))] answer_in: (&str, u16),
    #[case] document: &str,
    #[case] code: &str,
) {
    let (media_type, status) = answer_in;
    let api = api::serve();
    let answer = api.ask_in(media_type, document).await;
    assert_eq!((answer.status, answer.code(), api.touched()), (status, code, 0), "{}", answer.body);
    assert_eq!(answer.body.get("data"), None, "nothing was executed");
    assert_eq!(answer.headers["content-type"], format!("{media_type}; charset=utf-8").as_str());
}

#[tokio::test]
async fn an_error_in_a_document_says_where_and_why() {
    let api = api::serve();
    for (document, why) in [("{ hello ", "expected"), ("{ goodbye }", "goodbye")] {
        let answer = api.ask_in("application/json", document).await;
        let error = &answer.body["errors"][0];
        assert_eq!(error["locations"][0]["line"], 1, "{error}");
        assert!(error["message"].as_str().is_some_and(|message| message.contains(why)), "{error}");
    }
}

#[rstest]
#[case::absent(json!({}))]
#[case::null(json!({ "name": null }))]
#[tokio::test]
async fn a_missing_variable_is_named(#[case] variables: Value) {
    let document = "query ($other: Int = 1, $name: String!) { count(to: $other) hello(name: $name) }";
    let answer = api::serve().post_json(json!({ "query": document, "variables": variables })).await;
    assert_eq!(answer.body["errors"][0]["message"], "The variable \"$name\" of type \"String!\" is required");
    assert_eq!(answer.body["errors"][0]["locations"], json!([{ "line": 1, "column": 26 }]));
}

#[tokio::test]
async fn variables_of_an_operation_that_is_not_chosen_may_be_missing() {
    let document = "query A($name: String!) { hello(name: $name) } query B($to: Int = 3) { count(to: $to) }";
    let answer = api::serve().post_json(json!({ "query": document, "operationName": "B" })).await;
    assert_eq!(answer.body, json!({ "data": { "count": 3 } }));
}

#[rstest]
#[case::in_the_document("{ count(to: 2147483648) }", json!({}))]
#[case::in_a_variable("query ($to: Int!) { count(to: $to) }", json!({ "to": 2_147_483_648_u32 }))]
#[tokio::test]
async fn an_integer_beyond_32_bits_is_no_fault_of_the_server(#[case] document: &str, #[case] variables: Value) {
    let answer = api::serve().post_json(json!({ "query": document, "variables": variables })).await;
    assert_eq!(answer.code(), "BAD_USER_INPUT", "{}", answer.body);
}
