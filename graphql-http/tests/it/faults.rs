//! Faults: a client receives a request id, and never the text, which may hold secrets.

use rstest::rstest;
use testkit::{Answer, Log};

use super::api::{self, SECRET};

fn request_id(answer: &Answer) -> &str {
    answer.headers["x-request-id"].to_str().expect("a text")
}

#[rstest]
#[case::an_error("{ hello fault }")]
#[case::an_error_of_a_nullable_field("{ hello nullableFault }")]
#[case::a_panic("{ hello panics }")]
#[tokio::test]
async fn a_fault_is_masked_under_the_id_of_its_request(
    #[values("application/graphql-response+json", "application/json")] media_type: &str,
    #[case] document: &str,
) {
    let api = api::serve();
    let answer = api.ask_in(media_type, document).await;
    assert_eq!((answer.status, answer.code()), (200, "INTERNAL_SERVER_ERROR"), "{}", answer.body);
    assert_eq!(answer.body["errors"][0]["extensions"]["requestId"], request_id(&answer));
    for text in [answer.body.to_string(), format!("{:?}", answer.headers)] {
        assert!(!text.contains(SECRET) && !text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_fault_in_a_nullable_field_leaves_the_others() {
    let answer = api::serve().ask_in("application/json", "{ hello nullableFault }").await;
    assert_eq!(answer.body["data"], serde_json::json!({ "hello": "hello world", "nullableFault": null }));
    assert_eq!(answer.body["errors"][0]["path"], serde_json::json!(["nullableFault"]));
}

#[tokio::test]
async fn the_faults_of_a_request_are_one_line_of_the_log() {
    let log = Log::capture();
    let faults = (0..15).map(|n| format!("a{n}: nullableFault ")).collect::<Vec<_>>().concat();
    let answer = api::serve().ask_in("application/json", &format!("{{ hello {faults} }}")).await;
    assert_eq!(answer.body["errors"].as_array().map(Vec::len), Some(15), "{}", answer.body);
    let log = log.text();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("ERROR")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    for part in [SECRET, "faults=15", "a0", request_id(&answer)] {
        assert!(lines[0].contains(part), "{part}: {log}");
    }
}

#[tokio::test]
async fn the_process_lives_on_after_a_panic() {
    let api = api::serve();
    for _ in 0..3 {
        assert_eq!(api.ask_in("*/*", "{ panics }").await.code(), "INTERNAL_SERVER_ERROR");
    }
    assert_eq!(api.ask_in("*/*", "{ hello }").await.body["data"]["hello"], "hello world");
}
