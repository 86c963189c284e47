//! Directories of trusted documents: which files are read, and which faults prevent the start.

use std::{fs, os::unix::fs::symlink};

use rstest::rstest;

use super::{
    persisted::sha256,
    trusted::{directory, serve},
};

#[rstest]
#[case::empty(&[], "has no documents: put *.graphql files")]
#[case::no_document_in_it(&[("a.json", "{}")], "has no documents: put *.graphql files")]
#[case::another_file(&[("a.graphql", "{ a }"), ("notes.txt", "")], "notes.txt is neither a *.graphql nor a *.json file")]
#[case::a_hidden_file(&[(".gitkeep", "")], ".gitkeep is neither a *.graphql nor a *.json file")]
#[case::an_unparsable_document(&[("a.graphql", "{\n  a(\n}")], "a.graphql: line 3, column 1: expected name: correct it or remove it")]
#[case::a_schema(&[("a.graphql", "type Query { a: Int }")], "a.graphql: line 1, column 1: expected ")]
#[case::fragments_alone(&[("a.graphql", "fragment F on Query { a }")], "a.graphql: document does not contain an operation: correct it")]
#[case::malformed_json(&[("a.json", "{\n  \"a\": \"{ a }\",\n}")], "at line 3 column 1")]
#[case::a_list(&[("a.json", "[\"{ a }\"]")], "write a map from id to text")]
#[case::another_map(&[("a.json", "{\n  \"a\": {}\n}")], "at line 2 column")]
#[case::an_unparsable_document_in_a_map(
    &[("a.json", r#"{ "x": "{ a }", "y": "{ a" }"#)],
    "a.json: the document \"y\": line 1, column "
)]
#[case::a_document_without_an_id(&[("a.json", r#"{ "": "{ a }" }"#)], "a.json: the document \"\": a document without an id")]
#[case::one_id_for_two(
    &[("a.json", r#"{ "x": "{ a }" }"#), ("b.json", r#"{ "x": "{ b }" }"#)],
    "b.json: the document \"x\": another document has the same id"
)]
#[case::a_manifest_of_a_later_version(
    &[("a.json", r#"{ "format": "apollo-persisted-query-manifest", "version": 2, "operations": [] }"#)],
    "a.json: the version is 2, not 1: "
)]
#[case::a_manifest_of_another_kind(
    &[("a.json", r#"{ "format": "x", "version": 1, "operations": [] }"#)],
    "a.json: the format is \"x\""
)]
#[case::a_manifest_with_other_operations(
    &[("a.json", "{ \"format\": \"apollo-persisted-query-manifest\", \"version\": 1,\n\"operations\": [{}] }")],
    "missing field `id` at line 2"
)]
#[tokio::test]
async fn a_directory_with_a_mistake_keeps_the_service_from_starting(#[case] files: &[(&str, &str)], #[case] why: &str) {
    let directory = directory(files);
    let error = serve(&directory).err().map(|error| format!("{error:#}")).unwrap_or_default();
    assert!(error.starts_with(&directory.path().display().to_string()) && error.contains(why), "{error}");
}

#[tokio::test]
async fn a_directory_in_a_directory_keeps_the_service_from_starting() {
    let directory = directory(&[("a.graphql", "{ hello }")]);
    fs::create_dir(directory.path().join("more.graphql")).expect("a directory");
    let error = serve(&directory).err().expect("it does not start").to_string();
    assert!(error.contains("more.graphql is neither"), "{error}");
}

#[tokio::test]
async fn a_directory_that_is_missing_keeps_the_service_from_starting() {
    let directory = directory(&[]);
    fs::remove_dir(directory.path()).expect("removed");
    let error = format!("{:#}", serve(&directory).err().expect("it does not start"));
    assert!(error.contains("cannot read the directory") && error.contains("No such file"), "{error}");
}

#[tokio::test]
async fn a_mounted_config_map_is_read() {
    let directory = directory(&[]);
    let path = directory.path();
    fs::create_dir(path.join("..2026_11_24")).expect("a directory");
    fs::write(path.join("..2026_11_24/hello.graphql"), "{ hello }").expect("a file");
    symlink("..2026_11_24", path.join("..data")).expect("a link");
    symlink("..data/hello.graphql", path.join("hello.graphql")).expect("a link");
    let api = serve(&directory).expect("it starts");
    assert_eq!(api.get(&[("documentId", &sha256("{ hello }"))]).await.body["data"]["hello"], "hello world");
}
