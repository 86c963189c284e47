//! Trusted documents: they run under any of their names, and no other document runs.

use std::fs;

use graphql_http::DocumentsError;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    api::{self, Api},
    persisted::{by_hash, hash_of, sha256},
};

const HELLO: &str = "{ hello }";
const TOUCH: &str = "mutation Touch { touch }";
const COUNT: &str = "query Count($to: Int!) { count(to: $to) }";

/// A directory with these files.
pub(super) fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        fs::write(directory.path().join(name), text).expect("a file");
    }
    directory
}

/// Serves only the documents of `directory`.
pub(super) fn serve(directory: &TempDir) -> Result<Api, DocumentsError> {
    api::serve_trusting(directory.path())
}

/// One document in each kind of file.
fn trusting() -> (Api, TempDir) {
    let apollo = json!({
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [{ "id": "count-1", "name": "Count", "type": "query", "body": COUNT }],
    });
    let files = [
        // With an editor's final line break.
        ("hello.graphql", "{ hello }\n".to_owned()),
        ("relay.json", json!({ "1a79a4d60de6718e8e5b326e338ae533": TOUCH }).to_string()),
        ("apollo.json", apollo.to_string()),
    ];
    let directory = directory(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
    (serve(&directory).expect("it starts"), directory)
}

#[rstest]
#[case::by_the_hash_of_the_file(json!({ "documentId": sha256("{ hello }\n") }))]
#[case::by_the_hash_of_the_text(json!({ "documentId": sha256(HELLO) }))]
#[case::by_a_hash_with_its_prefix(json!({ "documentId": format!("sha256:{}", sha256(HELLO)) }))]
#[case::by_the_hash_in_apollos_protocol(json!({ "extensions": hash_of(HELLO) }))]
#[case::by_its_text(json!({ "query": HELLO }))]
#[case::by_its_text_with_line_breaks(json!({ "query": "{ hello }\r\n\n" }))]
#[case::by_its_text_and_hash(json!({ "query": HELLO, "extensions": hash_of(HELLO) }))]
#[case::by_its_text_with_a_line_break_and_hash(json!({ "query": "{ hello }\n\n", "extensions": hash_of("{ hello }\n\n") }))]
#[tokio::test]
async fn a_document_of_a_graphql_file_runs(#[case] request: Value) {
    let (api, _directory) = trusting();
    assert_eq!(api.post_json(request).await.body, json!({ "data": { "hello": "hello world" } }));
}

#[rstest]
#[case::by_its_id(json!({ "documentId": "count-1" }))]
#[case::by_its_id_in_apollos_protocol(json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": "count-1" } } }))]
#[case::by_its_hash(json!({ "extensions": hash_of(COUNT) }))]
#[case::by_its_text(json!({ "query": COUNT }))]
#[tokio::test]
async fn a_document_of_a_manifest_runs_with_variables(#[case] mut request: Value) {
    let (api, _directory) = trusting();
    request["variables"] = json!({ "to": 7 });
    request["operationName"] = json!("Count");
    assert_eq!(api.post_json(request).await.body, json!({ "data": { "count": 7 } }));
}

#[tokio::test]
async fn a_trusted_query_runs_by_get_and_a_trusted_mutation_by_post_only() {
    let (api, _directory) = trusting();
    assert_eq!(api.get(&[("documentId", &sha256(HELLO))]).await.body["data"]["hello"], "hello world");
    let id = "1a79a4d60de6718e8e5b326e338ae533";
    let answer = api.get(&[("documentId", id)]).await;
    assert_eq!((answer.status, answer.code(), api.touched()), (405, "BAD_REQUEST", 0), "{}", answer.body);
    assert_eq!(answer.headers["allow"], "POST");
    assert_eq!(api.post_json(json!({ "documentId": id })).await.body["data"]["touch"], 1);
}

#[rstest]
#[case::another_text("mutation { touch }")]
#[case::a_trusted_text_and_more("{ hello } # and more")]
#[case::introspection("{ __schema { queryType { name } } }")]
#[case::what_cannot_be_parsed("{ hello")]
#[case::nothing("")]
#[tokio::test]
async fn another_text_is_forbidden_with_its_hash_or_without(
    #[values("application/graphql-response+json", "application/json")] media_type: &str,
    #[case] text: &str,
) {
    let (api, _directory) = trusting();
    let answer = api.ask_in(media_type, text).await;
    assert_eq!((answer.status, answer.code()), (403, "QUERY_NOT_IN_SAFELIST"), "{}", answer.body);
    assert_eq!(answer.body.get("data"), None);
    if !text.is_empty() {
        let answer = api.post_json(json!({ "query": text, "extensions": hash_of(text) })).await;
        assert_eq!((answer.status, answer.code()), (403, "QUERY_NOT_IN_SAFELIST"), "{}", answer.body);
    }
    assert_eq!(by_hash(&api, text).await.code(), "PERSISTED_QUERY_NOT_FOUND", "nothing can be registered");
    assert_eq!(api.touched(), 0);
}

#[rstest]
#[case::an_unknown_id(json!({ "documentId": "count-2" }), "PERSISTED_QUERY_NOT_FOUND")]
#[case::an_id_and_a_text(json!({ "documentId": "count-1", "query": COUNT }), "BAD_REQUEST")]
#[case::a_hash_of_another_text(json!({ "query": HELLO, "extensions": hash_of(COUNT) }), "BAD_REQUEST")]
#[case::another_version(json!({ "extensions": { "persistedQuery": { "version": 2 } } }), "PERSISTED_QUERY_NOT_SUPPORTED")]
#[case::no_document(json!({}), "BAD_REQUEST")]
#[tokio::test]
async fn a_request_that_names_no_trusted_document_does_not_run(#[case] request: Value, #[case] code: &str) {
    let (api, _directory) = trusting();
    let answer = api.post_json(request).await;
    assert_eq!((answer.code(), answer.body.get("data")), (code, None), "{}", answer.body);
}
