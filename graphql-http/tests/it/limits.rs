//! Limits: an operation at a limit runs, and one beyond it learns which limit it exceeds.

use rstest::rstest;
use serde_json::{Value, json};

use super::{
    api,
    large::{
        aliases, chain, directives, fields, greeting, lists, named, nested, nested_bomb, pages, repeats, root_fields,
    },
};

fn of_nested(count: usize) -> String {
    format!("{{ nested {{ {} }} }}", fields(count))
}

#[rstest]
#[case::bytes(greeting(64 * 1024), greeting(64 * 1024 + 1), "65537 bytes")]
#[case::tokens(lists(5, 990), lists(5, 993), "tokens")]
#[case::depth(nested(15), nested(16), "16 levels")]
#[case::levels(chain(28), chain(29), "levels of selections")]
#[case::aliases(aliases(30), aliases(31), "31")]
#[case::directives(directives(50), directives(51), "51")]
#[case::directives_in_one_place("{ hello @skip(if: false) @include(if: true) }".into(), "{ hello @a @a @a @a @a @a }".into(), "6")]
#[case::selections(of_nested(1_999), of_nested(2_000), "2001")]
#[case::expanded_selections(nested_bomb(8), nested_bomb(9), "fields and fragments")]
#[case::root_fields(root_fields(20), root_fields(21), "root fields: 21")]
#[case::repeats(repeats(20), repeats(21), "21 times in one object")]
#[case::an_alias(named("alias", 100), named("alias", 101), "101 characters")]
#[case::an_operation(named("operation", 100), named("operation", 101), "101 characters")]
#[case::a_variable(named("variable", 100), named("variable", 101), "101 characters")]
#[case::a_fragment(named("fragment", 100), named("fragment", 101), "101 characters")]
#[case::a_list(lists(1, 1_000), lists(1, 1_001), "1001")]
#[case::pages(pages(16), pages(17), "values")]
#[tokio::test]
async fn an_operation_below_a_limit_runs_and_one_above_is_told_which(
    #[case] below: String,
    #[case] above: String,
    #[case] says: &str,
) {
    let api = api::serve();
    let answer = api.post_json(json!({ "query": below })).await;
    assert_eq!(answer.body["errors"], json!(null), "{}", answer.body);
    for (media_type, status) in [("application/graphql-response+json", 400), ("application/json", 200)] {
        let refused = api.ask_in(media_type, &above).await;
        assert_eq!((refused.status, refused.code()), (status, "OPERATION_TOO_LARGE"), "{}", refused.body);
        assert_eq!(refused.body.get("data"), None);
        let message = refused.body["errors"][0]["message"].as_str().expect("a message");
        assert!(message.contains(says), "{message}");
    }
}

#[rstest]
#[case(64, "GRAPHQL_VALIDATION_FAILED")]
#[case(65, "OPERATION_TOO_LARGE")]
#[tokio::test]
async fn as_many_brackets_as_the_parser_can_take_are_parsed(#[case] count: usize, #[case] code: &str) {
    // Two brackets are around the value.
    for (open, close) in [("[", "]"), ("{ a: ", "}")] {
        let value = format!("{}1{}", open.repeat(count - 2), close.repeat(count - 2));
        let answer = api::serve().post_json(json!({ "query": format!("{{ hello(name: {value}) }}") })).await;
        assert_eq!(answer.code(), code, "{}", answer.body);
    }
}

#[rstest]
#[case::a_list(json!(vec![1; 1_001]), "1001")]
#[case::a_list_in_an_object(json!({ "a": [{ "b": vec![1; 1_001] }] }), "1001")]
#[case::lists_in_lists(json!(vec![vec![1; 1_000]; 10]), "values")]
#[tokio::test]
async fn variables_are_bounded_like_arguments(#[case] value: Value, #[case] says: &str) {
    let api = api::serve();
    let query = "query ($numbers: [Int!]!) { sum(numbers: $numbers) }";
    let answer = api.post_json(json!({ "query": query, "variables": { "numbers": value } })).await;
    assert_eq!((answer.code(), answer.body.get("data")), ("OPERATION_TOO_LARGE", None), "{}", answer.body);
    assert!(answer.body["errors"][0]["message"].as_str().is_some_and(|text| text.contains(says)), "{}", answer.body);
}

#[rstest]
#[case::once(1, 1_000, "")]
#[case::several_times(4, 1_000, "")]
#[case::too_often(10, 1_000, "OPERATION_TOO_LARGE")]
#[tokio::test]
async fn a_variable_counts_wherever_it_is_used(#[case] times: usize, #[case] length: usize, #[case] code: &str) {
    let query = format!("query ($numbers: [Int!]!) {{ {} }}", "sum(numbers: $numbers) ".repeat(times));
    let answer = api::serve().post_json(json!({ "query": query, "variables": { "numbers": vec![1; length] } })).await;
    assert_eq!(answer.code(), code, "{}", answer.body);
}

#[rstest]
#[case(250, "GRAPHQL_VALIDATION_FAILED")]
#[case(1_251, "OPERATION_TOO_LARGE")]
#[tokio::test]
async fn a_gateway_may_ask_for_many_entities_or_for_much_of_each(#[case] fields: usize, #[case] code: &str) {
    let query = format!("query ($of: [_Any!]!) {{ _entities(representations: $of) {{ {} }} }}", many(fields, "a"));
    let answer = api::serve().post_json(json!({ "query": query, "variables": { "of": vec![json!({}); 4] } })).await;
    assert_eq!(answer.code(), code, "the schema here has no entities: {}", answer.body);
}

#[tokio::test]
async fn an_answer_names_the_first_hundred_mistakes_of_a_document() {
    let names = many(1_900, "unknown");
    let answer = api::serve().post_json(json!({ "query": format!("{{ nested {{ {names} }} }}") })).await;
    assert_eq!(answer.body["errors"].as_array().map(Vec::len), Some(100));
}

#[rstest]
#[case::absent(json!({}), 20)]
#[case::null(json!({ "first": null }), 20)]
#[case::given(json!({ "first": 3 }), 3)]
#[case::from_the_end(json!({ "last": 4 }), 4)]
#[tokio::test]
async fn variables_of_a_page_may_be_left_out(#[case] variables: Value, #[case] length: usize) {
    let query = "query A($first: Int, $last: Int) { page(first: $first, last: $last) { value } }
        query B($other: Int!) { page(first: $other) { value } }";
    let answer = api::serve().post_json(json!({ "query": query, "operationName": "A", "variables": variables })).await;
    assert_eq!(answer.body["data"]["page"].as_array().map(Vec::len), Some(length), "{}", answer.body);
}

#[rstest]
#[case::in_a_variable("query ($first: Int) { page(first: $first)", json!({ "first": 100 }))]
#[case::by_default("query ($first: Int = 100) { page(first: $first)", json!({}))]
#[case::from_the_end("query ($last: Int = 100) { page(last: $last)", json!({}))]
#[tokio::test]
async fn a_page_costs_its_size_wherever_it_is_said(#[case] page: &str, #[case] variables: Value) {
    let api = api::serve();
    for (count, code) in [(49, ""), (50, "OPERATION_TOO_LARGE")] {
        let query = format!("{page} {{ {} }} }}", fields(count));
        let answer = api.post_json(json!({ "query": query, "variables": variables })).await;
        assert_eq!(answer.code(), code, "{}", answer.body);
    }
}

#[tokio::test]
async fn the_largest_default_of_a_variable_counts_wherever_it_is_used() {
    let uses = |count: usize| "sum(numbers: $n) ".repeat(count);
    let query = format!(
        "query A($n: [Int!]! = [1]) {{ {} }} query B($n: [Int!]! = [{}]) {{ {} }}",
        uses(10),
        "1 ".repeat(1_000),
        uses(10)
    );
    let api = api::serve();
    for operation in ["A", "B"] {
        let answer = api.post_json(json!({ "query": query, "operationName": operation })).await;
        assert_eq!(answer.code(), "OPERATION_TOO_LARGE", "{}", answer.body);
    }
    let given = json!({ "query": query, "operationName": "B", "variables": { "n": [1] } });
    assert_eq!(api.post_json(given).await.code(), "", "a default is nothing where a value is given");
}

#[tokio::test]
async fn the_name_of_an_operation_that_no_document_could_have_is_not_repeated() {
    let query = json!({ "query": "query A { hello }", "operationName": "A".repeat(101) });
    let answer = api::serve().post_json(query).await;
    assert_eq!(answer.code(), "OPERATION_TOO_LARGE");
    assert!(answer.body.to_string().len() < 300, "{}", answer.body);
}

fn many(count: usize, name: &str) -> String {
    (0..count).map(|n| format!("{name}{n} ")).collect::<Vec<_>>().concat()
}
