//! Scalars in a schema: a malformed value is refused before anything runs, with the name of its argument.

use async_graphql::{EmptyMutation, EmptySubscription, InputObject, Object, Schema};
use graphql_http::{
    Endpoint, Options,
    scalars::{DateTime, Decimal, Uuid},
};
use rstest::rstest;
use serde_json::{Value, json};
use testkit::GraphqlClient;
use tokio_util::sync::DropGuard;

use super::api;

struct Query;

#[Object]
impl Query {
    async fn uuid(&self, key: Uuid) -> Uuid {
        key
    }

    async fn decimal(&self, amount: Decimal) -> Decimal {
        amount
    }

    async fn date_time(&self, at: Option<DateTime>) -> Option<DateTime> {
        at
    }

    async fn nested(&self, input: Input) -> Decimal {
        input.amount
    }
}

#[derive(InputObject)]
struct Input {
    amount: Decimal,
}

fn serve() -> (GraphqlClient, DropGuard) {
    let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
    let sdl = schema.sdl();
    api::listen(graphql_http::router(Endpoint::new(schema, Options::default()), sdl))
}

/// The field, its argument and the argument's type.
const UUID: [&str; 3] = ["uuid", "key", "UUID!"];
const DECIMAL: [&str; 3] = ["decimal", "amount", "Decimal!"];
const DATE_TIME: [&str; 3] = ["dateTime", "at", "DateTime"];

#[rstest]
#[case::uuid(UUID, "ea959b03-5577-45c9-b9f7-a45d3e77ce82", "ea959b03-5577-45c9-b9f7-a45d3e77ce82")]
#[case::decimal(DECIMAL, "216.00", "216.00")]
#[case::negative_decimal(DECIMAL, "-0.005", "-0.005")]
#[case::date_time(DATE_TIME, "2021-08-02T12:00:00-03:00", "2021-08-02T15:00:00.000Z")]
#[tokio::test]
async fn a_well_formed_value_comes_back(#[case] what: [&str; 3], #[case] given: &str, #[case] shown: &str) {
    let [field, argument, kind] = what;
    let (client, _server) = serve();
    let literal = client.call(&format!("{{ {field}({argument}: \"{given}\") }}"), Value::Null).await;
    let document = format!("query ($value: {kind}) {{ {field}({argument}: $value) }}");
    let variable = client.call(&document, json!({ "value": given })).await;
    assert_eq!((&literal[field], &variable[field]), (&json!(shown), &json!(shown)));
}

#[rstest]
#[case::an_empty_uuid(UUID, json!(""))]
#[case::half_a_uuid(UUID, json!("ea959b03-5577-45c9"))]
#[case::a_number_for_a_uuid(UUID, json!(7))]
#[case::no_uuid(UUID, json!(null))]
#[case::a_decimal_comma(DECIMAL, json!("10,50"))]
#[case::a_decimal_exponent(DECIMAL, json!("1e3"))]
#[case::a_whole_number_for_a_decimal(DECIMAL, json!(216))]
#[case::a_float_for_a_decimal(DECIMAL, json!(216.5))]
#[case::true_for_a_decimal(DECIMAL, json!(true))]
#[case::a_date_without_a_time(DATE_TIME, json!("2021-08-02"))]
#[case::a_month_that_does_not_exist(DATE_TIME, json!("2021-13-02T12:00:00Z"))]
#[case::a_leap_second(DATE_TIME, json!("2016-12-31T23:59:60Z"))]
#[case::single_digits(DATE_TIME, json!("2021-8-2T1:2:3"))]
#[case::a_blank(DATE_TIME, json!("2021-08-02 12:00:00Z"))]
#[case::seconds_for_a_date_time(DATE_TIME, json!(1_627_905_600))]
#[tokio::test]
async fn a_malformed_value_fails_validation_and_names_the_argument(#[case] what: [&str; 3], #[case] bad: Value) {
    let [field, argument, kind] = what;
    let (client, _server) = serve();
    let literal = client.send(&format!("{{ {field}({argument}: {bad}) }}"), Value::Null).await;
    let document = format!("query ($value: {kind}) {{ {field}({argument}: $value) }}");
    let variable = client.send(&document, json!({ "value": bad })).await;
    for answer in [literal, variable] {
        assert_eq!((answer.status, answer.code()), (400, "GRAPHQL_VALIDATION_FAILED"), "{}", answer.body);
        assert_eq!(answer.body.get("data"), None, "nothing was executed");
        let message = answer.body["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains(argument) || message.contains("$value"), "{message}");
    }
}

#[rstest]
#[case::a_literal("{ nested(input: { amount: 1.5 }) }", json!({}))]
#[case::a_variable("query ($amount: Decimal!) { nested(input: { amount: $amount }) }", json!({ "amount": 1.5 }))]
#[case::a_variable_object("query ($input: Input!) { nested(input: $input) }", json!({ "input": { "amount": 1.5 } }))]
#[tokio::test]
async fn a_malformed_value_inside_an_input_is_named_too(#[case] document: &str, #[case] variables: Value) {
    let (client, _server) = serve();
    let (code, message) = client.error(document, variables).await;
    assert_eq!(code, "GRAPHQL_VALIDATION_FAILED");
    assert!(message.contains("amount"), "{message}");
}

#[rstest]
#[case::uuid(UUID, json!("1"), "want a string with a UUID, like \"ea959b03-5577-45c9-b9f7-a45d3e77ce82\"")]
#[case::a_float(DECIMAL, json!(5.10), "want a decimal as a string, like \"216.00\"")]
#[case::no_date(DATE_TIME, json!("today"), "want a string with a date and time like \"2021-08-02T12:00:00-03:00\"")]
#[tokio::test]
async fn the_refusal_says_what_the_scalar_takes(#[case] what: [&str; 3], #[case] bad: Value, #[case] wanted: &str) {
    let [field, argument, kind] = what;
    let (client, _server) = serve();
    let literal = client.error(&format!("{{ {field}({argument}: {bad}) }}"), Value::Null).await;
    let document = format!("query ($value: {kind}) {{ {field}({argument}: $value) }}");
    let variable = client.error(&document, json!({ "value": bad })).await;
    for (code, message) in [literal, variable] {
        assert_eq!(code, "GRAPHQL_VALIDATION_FAILED");
        assert!(message.contains(wanted), "{message}");
    }
}
