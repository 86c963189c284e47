//! Responses while a backend is unavailable: status 503 if there is no data, with Retry-After.

use rstest::rstest;
use serde_json::json;

use super::api::{self, SECRET};

const MODERN: &str = "application/graphql-response+json";

#[rstest]
#[case("{ withoutDatabase }", "UNAVAILABLE")]
#[case("{ one: withoutDatabase other: withoutDatabase }", "UNAVAILABLE")]
#[case::all_connections_wait_for_it("{ overloaded }", "OVERLOADED")]
#[case::some_wait_and_some_failed("{ overloaded withoutDatabase }", "OVERLOADED")]
#[tokio::test]
async fn an_answer_without_data_for_want_of_the_database_is_503(#[case] document: &str, #[case] code: &str) {
    let answer = api::serve().ask_in(MODERN, document).await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.body["errors"].to_string().contains(code), "{}", answer.body);
    assert_eq!(answer.headers["retry-after"], "1");
    assert!(answer.body.get("data").is_none() && !answer.body.to_string().contains(SECRET), "{}", answer.body);
}

#[tokio::test]
async fn older_clients_get_200_and_are_told_when_to_come_again() {
    let answer = api::serve().ask_in("application/json", "{ withoutDatabase }").await;
    assert_eq!((answer.status, answer.code()), (200, "UNAVAILABLE"), "{}", answer.body);
    assert_eq!(answer.body["data"], json!({ "withoutDatabase": null }));
    assert_eq!(answer.headers["retry-after"], "1");
}

#[rstest]
#[case::with_data("{ hello withoutDatabase }", "UNAVAILABLE")]
#[case::with_a_fault("{ nullableFault withoutDatabase }", "INTERNAL_SERVER_ERROR")]
#[case::overloaded_with_data("{ hello overloaded }", "OVERLOADED")]
#[tokio::test]
async fn an_answer_that_says_more_is_200(#[case] document: &str, #[case] code: &str) {
    let answer = api::serve().ask_in(MODERN, document).await;
    assert_eq!((answer.status, answer.headers.get("retry-after")), (200, None), "{}", answer.body);
    assert!(answer.body["data"].is_object() && answer.body.to_string().contains(code), "{}", answer.body);
}
