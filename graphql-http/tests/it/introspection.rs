//! Introspection: explorers and code generators receive the schema, or learn that it is disabled.

use graphql_http::Options;
use rstest::rstest;
use serde_json::json;

use super::api::{self, Api};

fn serve_hidden() -> Api {
    api::serve_with(Options { introspection: false, ..Options::default() })
}

/// The introspection query of graphql-js, as GraphiQL, Apollo, urql and Relay send it. `types_deep` is 7 in its older
/// versions, 9 in the newer ones, and may be set by the caller.
fn as_explorers_ask(types_deep: usize) -> String {
    let of_type = (0..types_deep).fold(String::new(), |within, _| format!("ofType {{ name kind {within} }}"));
    format!(
        "query IntrospectionQuery {{ __schema {{ description queryType {{ name kind }} mutationType {{ name kind }}
           subscriptionType {{ name kind }} types {{ ...FullType }}
           directives {{ name description isRepeatable locations args(includeDeprecated: true) {{ ...InputValue }} }} }} }}
         fragment FullType on __Type {{ kind name description specifiedByURL isOneOf
           fields(includeDeprecated: true) {{ name description args(includeDeprecated: true) {{ ...InputValue }}
             type {{ ...TypeRef }} isDeprecated deprecationReason }}
           inputFields(includeDeprecated: true) {{ ...InputValue }} interfaces {{ ...TypeRef }}
           enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }}
           possibleTypes {{ ...TypeRef }} }}
         fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue isDeprecated
           deprecationReason }}
         fragment TypeRef on __Type {{ kind name {of_type} }}"
    )
}

#[rstest]
#[tokio::test]
async fn explorers_get_the_whole_schema(#[values(3, 7, 9, 13, 20)] types_deep: usize) {
    let answer = api::serve().post_json(json!({ "query": as_explorers_ask(types_deep) })).await;
    assert_eq!(answer.body["errors"], json!(null));
    assert_eq!(answer.body["data"]["__schema"]["queryType"]["name"], "Query");
}

#[tokio::test]
async fn lists_within_lists_of_the_introspection_are_refused_before_they_multiply() {
    let api = api::serve();
    let twice = "{ __schema { types { fields { type { fields { name } } } } } }";
    assert_eq!(api.post_json(json!({ "query": twice })).await.body["errors"], json!(null));
    let types = "{ __schema { types { fields { type { ...F } } } } }
        fragment F on __Type { fields { type { possibleTypes { name } } } }";
    let one = "{ __type(name: \"Query\") { fields { type { fields { type { fields { name } } } } } } }";
    for cycle in [types, one] {
        let answer = api.ask_in("application/graphql-response+json", cycle).await;
        assert_eq!((answer.status, answer.code()), (400, "OPERATION_TOO_LARGE"), "{}", answer.body);
    }
}

#[rstest]
#[case::the_schema("{ __schema { queryType { name } } }")]
#[case::a_type("{ hello __type(name: \"Query\") { name } }")]
#[case::by_an_alias("{ hello: __schema { queryType { name } } }")]
#[case::in_a_fragment("{ ...F } fragment F on Query { ... { __type(name: \"Query\") { name } } }")]
#[case::in_an_operation_that_is_not_chosen("query A { hello } query B { __schema { queryType { name } } }")]
#[case::of_federation("{ _service { sdl } }")]
#[tokio::test]
async fn a_hidden_schema_is_not_told(#[case] document: &str) {
    let answer = serve_hidden().post_json(json!({ "query": document, "operationName": "" })).await;
    assert_eq!((answer.code(), answer.body.get("data")), ("GRAPHQL_VALIDATION_FAILED", None), "{}", answer.body);
    let message = answer.body["errors"][0]["message"].as_str().expect("a message");
    assert!(message.contains("introspection is not allowed") && message.contains("setting"), "{message}");
    assert_eq!(answer.body["errors"][0]["locations"][0]["line"], 1);
}

#[tokio::test]
async fn a_hidden_schema_is_served_to_nobody_as_text() {
    assert_eq!(serve_hidden().client.get("/schema.graphql").send().await.expect("an answer").status(), 404);
}

#[tokio::test]
async fn a_hidden_schema_still_tells_the_type_of_an_object() {
    let answer = serve_hidden().post_json(json!({ "query": "{ __typename nested { __typename } }" })).await;
    assert_eq!(answer.body, json!({ "data": { "__typename": "Query", "nested": { "__typename": "Nested" } } }));
}

#[tokio::test]
async fn a_hidden_schema_is_not_suggested() {
    let message = async |api: Api| {
        let answer = api.post_json(json!({ "query": "{ hallo }" })).await;
        answer.body["errors"][0]["message"].as_str().expect("a message").to_owned()
    };
    assert!(message(api::serve()).await.contains("hello"), "clients that may know it are helped");
    assert!(!message(serve_hidden()).await.contains("hello"));
}
