//! Documents that a caller may ask, and documents that it may not.

use async_graphql::{Variables, parser::parse_query};
use rstest::rstest;
use serde_json::json;

use super::{Permissions, RootField, Rule};
use crate::{Caller, admission};

const READER: &str = "reader";
const EDITOR: &str = "editor";
const OWNER: &str = "owner";

static PERMISSIONS: Permissions = Permissions {
    roles: &[READER, EDITOR, OWNER],
    root_fields: &[
        Rule::new("note", &[READER, EDITOR]),
        Rule::new("node", &[READER]),
        Rule::new("write", &[EDITOR]),
        Rule::new("changed", &[READER, EDITOR]),
    ],
    sensitive: &[Rule::new("author", &[READER, OWNER]), Rule::new("Draft", &[READER, OWNER])],
};

/// The refusal of the operation `Chosen`, or else of the only one; whether each root field has a rule.
fn check(roles: &[&'static str], document: &str, variables: serde_json::Value) -> Result<bool, String> {
    let document = parse_query(document).expect("a document");
    let caller = Caller { name: "ana".into(), roles: roles.into(), ..Caller::default() };
    let is_named = document.operations.iter().any(|(name, _)| name.is_some());
    let (_, operation) = admission::operation(&document, is_named.then_some("Chosen")).expect("an operation");
    let checked = PERMISSIONS.check(
        &document,
        operation,
        &Variables::from_json(variables),
        &caller,
        None,
        &mut RootField::default(),
    );
    checked.map_err(|refusal| refusal.error.message.clone())
}

#[rstest]
#[case::a_field("{ note { text } }")]
#[case::several_by_aliases("{ one: note { text } two: note { text } }")]
#[case::a_mutation("mutation { write(text: \"author\") { text } }")]
#[case::a_subscription("subscription { changed { text } }")]
#[case::introspection("{ __typename __schema { types { name } } __type(name: \"Note\") { name } _service { sdl } }")]
#[case::a_fragment("{ ...F } fragment F on Query { note { text } }")]
#[case::another_operation_is_not_run("query Chosen { note { text } } query Other { node(id: 1) { id } }")]
#[case::a_fragment_of_another_operation(
    "query Chosen { note { text } } query Other { ...F } fragment F on Query { node(id: 1) { author } }"
)]
#[case::an_alias_is_no_name("{ author: note { author: text } }")]
fn an_operation_whose_every_name_is_permitted_runs(#[case] document: &str) {
    assert_eq!(check(&[EDITOR], document, json!({})), Ok(true));
}

#[rstest]
#[case::a_field("{ node(id: 1) { id } }", "node")]
#[case::beside_others("{ note { text } node(id: 1) { id } }", "node")]
#[case::by_an_alias("{ note: node(id: 1) { id } }", "node")]
#[case::skipped("{ note { text } node(id: 1) @skip(if: true) { id } }", "node")]
#[case::in_an_inline_fragment("{ ... { ... on Query { node(id: 1) { id } } } }", "node")]
#[case::in_a_fragment("{ ...F } fragment F on Query { ...G } fragment G on Query { node(id: 1) { id } }", "node")]
#[case::in_the_chosen_operation("query Other { note { text } } query Chosen { node(id: 1) { id } }", "node")]
#[case::a_sensitive_field("{ note { author } }", "author")]
#[case::by_another_alias("{ note { text: author } }", "author")]
#[case::deep("{ note { edges { node { ... on Note { ...F } } } } } fragment F on Note { author }", "author")]
#[case::in_a_fragment_below_and_at_the_root("{ ...F note { ...F } } fragment F on Query { author }", "author")]
#[case::in_a_mutation("mutation { write(text: \"x\") { author } }", "author")]
#[case::in_a_subscription("subscription { changed { author } }", "author")]
#[case::an_argument("{ note(author: 1) { text } }", "author")]
#[case::an_input("{ note(filter: { author: 1 }) { text } }", "author")]
#[case::an_input_that_is_null("{ note(filter: { author: null }) { text } }", "author")]
#[case::in_a_list("{ note(filter: [{ any: [{ author: 1 }] }]) { text } }", "author")]
#[case::of_a_nested_field("{ note { replies(filter: { author: 1 }) { text } } }", "author")]
#[case::a_variable("query ($author: ID) { note(filter: { author: $author }) { text } }", "author")]
#[case::a_default("query ($f: F = { author: 1 }) { note(filter: $f) { text } }", "author")]
#[case::a_nested_default(
    "query ($f: [F!] = [{ any: { author: 1 } }]) { note(filter: { all: $f }) { text } }",
    "author"
)]
#[case::a_type("{ note { ... on Draft { text } } }", "Draft")]
#[case::a_type_within_another("{ note { ... on Node { ... on Draft { text } } } }", "Draft")]
#[case::a_type_of_a_fragment("{ note { ...F } } fragment F on Draft { text }", "Draft")]
fn an_operation_with_a_name_that_no_role_permits_is_refused_as_a_whole(#[case] document: &str, #[case] name: &str) {
    let roles = if name == "node" { "reader" } else { "reader or owner" };
    let refusal = format!("{name} needs the role {roles}; the user \"ana\" has editor");
    assert_eq!(check(&[EDITOR], document, json!({})), Err(refusal));
    let permitted = check(&[EDITOR, READER], document, json!({}));
    assert!(permitted.is_ok(), "{permitted:?}");
}

#[rstest]
#[case::a_variable(json!({ "f": { "author": 1 } }), false)]
#[case::a_list(json!({ "f": [{ "any": { "author": 1 } }] }), false)]
#[case::another_value_than_the_default(json!({ "f": { "text": "author" } }), true)]
#[case::null(json!({ "f": null }), true)]
#[case::one_that_is_not_used(json!({ "f": {}, "author": { "author": 1 } }), true)]
fn variables_are_checked_where_they_are_used(#[case] variables: serde_json::Value, #[case] permitted: bool) {
    let document = "query ($f: F = { author: 1 }) { note(filter: $f) { text } }";
    assert_eq!(check(&[EDITOR], document, variables).is_ok(), permitted);
}

#[test]
fn a_caller_without_roles_is_told_so() {
    let refusal = "note needs the role reader or editor; the user \"ana\" has no role";
    assert_eq!(check(&[], "{ note { text } }", json!({})), Err(refusal.to_owned()));
    assert_eq!(check(&[], "{ __typename }", json!({})), Ok(true));
}

#[rstest]
#[case("{ nothing }")]
#[case("{ note { text } ...F } fragment F on Query { nothing { text } }")]
fn a_root_field_without_a_rule_is_noticed(#[case] document: &str) {
    assert_eq!(check(PERMISSIONS.roles, document, json!({})), Ok(false));
}

#[test]
fn the_schema_for_gateways_has_the_roles_of_each_field() {
    let sdl = "\
type Note {
  author: String @deprecated
  text: String!
}
type Query {
  note(
    \"\"\"
    author: String
    \"\"\"
    author: String
  ): Note
  other: [Note!]!
}
input Filter {
  author: String
}
";
    let expected = sdl
        .replace(
            "  author: String @deprecated",
            "  author: String @deprecated @requiresScopes(scopes: [[\"reader\"], [\"owner\"]])",
        )
        .replace("  ): Note", "  ): Note @requiresScopes(scopes: [[\"reader\"], [\"editor\"]])");
    assert_eq!(PERMISSIONS.require_scopes(sdl).expect("a schema"), expected);
    PERMISSIONS.require_scopes("type {").expect_err("no schema");
}
