//! The codes of refusals: as texts and as an enum they say the same.

use std::collections::BTreeSet;

use async_graphql::{EmptyMutation, EmptySubscription, ObjectType, Schema};
use serde_json::Value;

const CODES: &str =
    "{ refusals { __typename code errorCode } __type(name: \"UserErrorCode\") { enumValues { name } } }";

/// Fails unless `refusals` of the query shows a refusal of each code, with its code as text and as a value of the enum.
///
/// # Panics
/// When it does not.
pub async fn assert_codes_are_names(query: impl ObjectType + 'static) {
    let schema = Schema::new(query, EmptyMutation, EmptySubscription);
    let response = schema.execute(CODES).await;
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    let told = response.data.into_json().expect("JSON");
    let names = |list: &Value, name: &str| -> BTreeSet<String> {
        let elements = list.as_array().expect("a list").iter();
        elements.map(|element| element[name].as_str().expect("a name").to_owned()).collect()
    };
    for refusal in told["refusals"].as_array().expect("a list") {
        assert_eq!(refusal["code"], refusal["errorCode"], "of {}", refusal["__typename"]);
    }
    let values = names(&told["__type"]["enumValues"], "name");
    assert_eq!(names(&told["refusals"], "code"), values, "`refusals` lacks one");
}
