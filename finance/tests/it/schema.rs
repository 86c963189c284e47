//! The published schema: committed as it is served, and with a description of each element.

use rstest::rstest;
use serde_json::{Value, json};
use testkit::Backend;

use crate::running::running;

/// What async-graphql makes and leaves without a description, beside what begins with an underscore: the
/// introspection's own types, and the fields that a federation gateway asks for.
const NOT_OURS: [&str; 1] = ["ID"];

const INTROSPECT: &str = "{ __schema {
    types { name description
        fields(includeDeprecated: true) { name description args { name description } }
        inputFields { name description }
        enumValues(includeDeprecated: true) { name description } }
    directives { name description args { name description } } } }";

#[test]
fn the_committed_schema_is_the_served_one() {
    let refresh = "refresh it: cargo run -p finance -- schema > finance/schema.graphql";
    assert!(include_str!("../../schema.graphql") == finance::graphql::sdl(), "{refresh}");
}

#[test]
fn the_committed_client_schema_is_the_served_one_without_federation() {
    let refresh = "refresh it: cargo run -p finance -- schema --client > finance/client.graphql";
    assert!(include_str!("../../client.graphql") == graphql_http::client_sdl(&finance::graphql::sdl()), "{refresh}");
}

#[rstest]
#[tokio::test]
async fn the_schema_is_served_as_text() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let request = service.client().get("/schema.graphql").basic_auth("admin", Some("teste123"));
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "application/graphql; charset=utf-8");
    assert_eq!(answer.text().await.expect("a text"), finance::graphql::sdl());
}

#[rstest]
#[tokio::test]
async fn every_element_of_the_schema_is_described() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let schema = service.client().call(INTROSPECT, json!({})).await["__schema"].take();
    let mut undescribed = Vec::new();
    for list in ["types", "directives"] {
        collect_undescribed(&schema[list], "", &mut undescribed);
    }
    undescribed.retain(|path| !path.split('.').any(|name| name.starts_with('_')));
    assert_eq!(undescribed, NOT_OURS, "describe the others with a doc comment");
}

/// Adds the paths of all elements of `list`, and of those within them, that have no description.
fn collect_undescribed(list: &Value, path: &str, undescribed: &mut Vec<String>) {
    for element in list.as_array().into_iter().flatten() {
        let path = format!("{path}{}", element["name"].as_str().expect("a name"));
        if element["description"].as_str().unwrap_or_default().trim().is_empty() {
            undescribed.push(path.clone());
        }
        for within in ["fields", "args", "inputFields", "enumValues"] {
            collect_undescribed(&element[within], &format!("{path}."), undescribed);
        }
    }
}
