//! Automatic persisted queries, in the protocol of Apollo Client and urql.

use rstest::rstest;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testkit::Answer;

use super::api::{self, Api};

const GREET: &str = "query Greet($name: String!) { hello(name: $name) }";

pub(super) fn sha256(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

/// The extension for `text`.
pub(super) fn hash_of(text: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": sha256(text) } })
}

/// Sends only the hash of `text`.
pub(super) async fn by_hash(api: &Api, text: &str) -> Answer {
    api.post_json(json!({ "extensions": hash_of(text) })).await
}

/// Sends `text` with its hash.
async fn register(api: &Api, text: &str) -> Answer {
    api.post_json(json!({ "query": text, "extensions": hash_of(text) })).await
}

fn message(answer: &Answer) -> &str {
    answer.body["errors"][0]["message"].as_str().unwrap_or_default()
}

#[rstest]
#[case::of_the_new_type("application/graphql-response+json", 400)]
#[case::of_the_old_type("application/json", 200)]
#[tokio::test]
async fn an_unknown_hash_is_answered_so_that_apollo_client_and_urql_send_the_text(
    #[case] media_type: &str,
    #[case] status: u16,
) {
    let body = json!({ "extensions": hash_of("{ hello }") }).to_string();
    let api = api::serve();
    let request = api.client.post().header("content-type", "application/json").header("accept", media_type);
    let answer = Answer::of(request.body(body)).await;
    let errors =
        json!([{ "message": "PersistedQueryNotFound", "extensions": { "code": "PERSISTED_QUERY_NOT_FOUND" } }]);
    assert_eq!((answer.status, &answer.body), (status, &json!({ "errors": errors })));
}

#[tokio::test]
async fn a_document_sent_with_its_hash_by_post_is_then_known_by_it() {
    let api = api::serve();
    let ask = |name: &str| json!({ "extensions": hash_of(GREET), "variables": { "name": name } });
    assert_eq!(api.post_json(ask("a")).await.code(), "PERSISTED_QUERY_NOT_FOUND");
    let mut both = ask("b");
    both["query"] = json!(GREET);
    assert_eq!(api.post_json(both).await.body, json!({ "data": { "hello": "hello b" } }));
    assert_eq!(api.post_json(ask("c")).await.body, json!({ "data": { "hello": "hello c" } }));
    // Some clients send no text, and urql repeats a request so.
    for nothing in [json!(null), json!("")] {
        let mut request = ask("d");
        request["query"] = nothing;
        request["extensions"]["persistedQuery"]["miss"] = json!(true);
        assert_eq!(api.post_json(request).await.body, json!({ "data": { "hello": "hello d" } }));
    }
}

#[tokio::test]
async fn a_document_sent_with_its_hash_by_get_is_then_known_by_it() {
    let api = api::serve();
    let (extensions, variables) = (hash_of(GREET).to_string(), json!({ "name": "you" }).to_string());
    let hash = [("extensions", extensions.as_str()), ("variables", &variables)];
    assert_eq!(api.get(&hash).await.code(), "PERSISTED_QUERY_NOT_FOUND");
    let both = [&hash[..], &[("query", GREET)]].concat();
    assert_eq!(api.get(&both).await.body, json!({ "data": { "hello": "hello you" } }));
    assert_eq!(api.get(&hash).await.body, json!({ "data": { "hello": "hello you" } }));
}

#[tokio::test]
async fn a_hash_may_be_in_capitals() {
    let api = api::serve();
    register(&api, "{ hello }").await;
    let capitals = json!({ "persistedQuery": { "version": 1, "sha256Hash": sha256("{ hello }").to_uppercase() } });
    assert_eq!(api.post_json(json!({ "extensions": capitals })).await.body["data"]["hello"], "hello world");
}

#[tokio::test]
async fn a_mutation_known_by_its_hash_does_not_run_by_get() {
    let api = api::serve();
    assert_eq!(register(&api, "mutation { touch }").await.body["data"]["touch"], 1);
    let answer = api.get(&[("extensions", &hash_of("mutation { touch }").to_string())]).await;
    assert_eq!((answer.status, answer.code(), api.touched()), (405, "BAD_REQUEST", 1), "{}", answer.body);
    assert_eq!(answer.headers["allow"], "POST");
    assert_eq!(by_hash(&api, "mutation { touch }").await.body["data"]["touch"], 2, "by POST it does");
}

#[tokio::test]
async fn the_hash_of_another_text_is_refused_and_nothing_runs() {
    let api = api::serve();
    let answer = api.post_json(json!({ "query": "mutation { touch }", "extensions": hash_of("{ hello }") })).await;
    assert_eq!((answer.status, answer.code(), api.touched()), (400, "BAD_REQUEST", 0));
    assert!(message(&answer).starts_with("provided sha does not match query: "), "{}", answer.body);
    assert_eq!(by_hash(&api, "{ hello }").await.code(), "PERSISTED_QUERY_NOT_FOUND", "nor is it remembered");
}

#[rstest]
#[case::too_short(json!({ "version": 1, "sha256Hash": "abc" }), "64 hexadecimal digits")]
#[case::no_digits(json!({ "version": 1, "sha256Hash": "z".repeat(64) }), "64 hexadecimal digits")]
#[case::no_hash(json!({ "version": 1 }), "\"sha256Hash\" is missing")]
#[case::no_version(json!({ "sha256Hash": sha256("{ hello }") }), "version")]
#[case::no_object(json!("x"), "Malformed extension \"persistedQuery\"")]
#[tokio::test]
async fn a_malformed_extension_is_told_what_is_wrong(#[case] extension: Value, #[case] why: &str) {
    let answer = api::serve().post_json(json!({ "extensions": { "persistedQuery": extension } })).await;
    assert_eq!((answer.status, answer.code()), (400, "BAD_REQUEST"));
    assert!(message(&answer).contains(why), "{}", answer.body);
}

#[tokio::test]
async fn another_version_of_the_protocol_is_answered_so_that_clients_send_texts() {
    let extension = json!({ "persistedQuery": { "version": 2, "sha512Hash": "x" } });
    let answer = api::serve().post_json(json!({ "extensions": extension })).await;
    assert_eq!((answer.status, answer.code()), (200, "PERSISTED_QUERY_NOT_SUPPORTED"));
    assert_eq!(message(&answer), "PersistedQueryNotSupported");
}

#[rstest]
#[case::unparsable("{ hello", "GRAPHQL_PARSE_FAILED")]
#[case::invalid("{ hallo }", "GRAPHQL_VALIDATION_FAILED")]
#[case::lacking_a_variable(GREET, "GRAPHQL_VALIDATION_FAILED")]
#[case::without_a_choice("query A { hello } query B { hello }", "OPERATION_RESOLUTION_FAILURE")]
#[tokio::test]
async fn what_may_not_run_is_not_remembered(#[case] text: &str, #[case] code: &str) {
    let api = api::serve();
    assert_eq!(register(&api, text).await.code(), code);
    assert_eq!(by_hash(&api, text).await.code(), "PERSISTED_QUERY_NOT_FOUND");
}

#[tokio::test]
async fn the_first_of_many_large_documents_is_forgotten() {
    let api = api::serve();
    let text = |n: usize| format!("{{ hello(name: \"{n}\") }}{}", " ".repeat(60 * 1024));
    for n in 0..70 {
        assert_eq!(register(&api, &text(n)).await.status, 200);
    }
    assert_eq!(by_hash(&api, &text(0)).await.code(), "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(by_hash(&api, &text(69)).await.body["data"]["hello"], "hello 69");
    assert_eq!(register(&api, &text(0)).await.body["data"]["hello"], "hello 0", "its sender recovers");
    assert_eq!(by_hash(&api, &text(0)).await.body["data"]["hello"], "hello 0");
}

#[rstest]
#[case::nothing(json!({}), "The parameter \"query\" is missing")]
#[case::no_name_of_a_document(json!({ "extensions": { "persistedQuery": null }, "documentId": "" }), "The parameter \"query\" is missing")]
#[case::an_id_and_a_text(json!({ "query": "{ hello }", "documentId": "x" }), "in one way")]
#[case::an_id_and_a_hash(json!({ "extensions": hash_of("{ hello }"), "documentId": "x" }), "in one way")]
#[tokio::test]
async fn a_request_names_or_carries_one_document(#[case] request: Value, #[case] why: &str) {
    let answer = api::serve().post_json(request).await;
    assert_eq!((answer.status, answer.code()), (400, "BAD_REQUEST"));
    assert!(message(&answer).contains(why), "{}", answer.body);
}

#[tokio::test]
async fn an_id_is_not_looked_up_among_what_was_remembered() {
    let api = api::serve();
    register(&api, "{ hello }").await;
    let answer = api.post_json(json!({ "documentId": format!("sha256:{}", sha256("{ hello }")) })).await;
    assert_eq!((answer.status, answer.code()), (200, "PERSISTED_QUERY_NOT_FOUND"));
    assert!(message(&answer).contains("send the text"), "{}", answer.body);
}
