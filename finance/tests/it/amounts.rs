//! Amounts: each is recorded exactly, or refused by name with nothing stored.

use rstest::rstest;
use serde_json::{Value, json};
use testkit::Backend;
use uuid::Uuid;

use crate::running::{RECORD, input, is_new, refusal, running};

#[rstest]
#[tokio::test]
async fn an_amount_is_recorded_exactly_and_shown_with_two_decimals(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let exact = [
        ("0", "0.00", 0),
        ("0.00", "0.00", 0),
        ("-0.00", "0.00", 0),
        ("0.01", "0.01", 1),
        ("0.29", "0.29", 29),
        ("10.5", "10.50", 1_050),
        ("1.500", "1.50", 150),
        ("216", "216.00", 21_600),
        ("999999999.99", "999999999.99", 99_999_999_999),
    ];
    for (given, shown, cents) in exact {
        let recorded = service.record(Uuid::new_v4(), given).await;
        assert!(is_new(&recorded), "{given}: {recorded}");
        assert_eq!(recorded["payment"]["totalPrice"], shown, "{given}");
        let stored = service.stored().await;
        let stored = stored.iter().find(|row| json!(row.id) == recorded["payment"]["id"]).expect("it is stored");
        assert_eq!(stored.total_price_cents.cents(), cents, "{given}");
    }
}

#[rstest]
#[tokio::test]
async fn an_amount_that_breaks_a_rule_is_refused_by_name(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let refused = [
        ("-0.01", "negative"),
        ("-1", "negative"),
        ("1.005", "two decimals"),
        ("0.001", "two decimals"),
        ("1000000000", "999999999.99"),
        ("999999999.991", "999999999.99"),
    ];
    for (given, why) in refused {
        let payload = service.record(Uuid::new_v4(), given).await;
        let error = refusal(&payload);
        assert_eq!(
            (&error["__typename"], &error["code"]),
            (&json!("InvalidInput"), &json!("INVALID_INPUT")),
            "{given}"
        );
        assert_eq!(error["field"], json!(["input", "totalPrice"]), "{given}");
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains("totalPrice") && message.contains(why), "{given}: {message}");
    }
    assert_eq!(service.stored().await.len(), 0);
}

#[rstest]
#[tokio::test]
async fn what_is_no_amount_fails_validation_by_name_as_a_variable(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let texts = ["10,50", "NaN", "1e400", "1e2", "Infinity", "", " 1", "1 ", "+1", ".5", "5.", "1_000", "0x10"];
    let others = [json!(10.5), json!(10), json!(true), json!(["1"]), json!({ "cents": 1 }), Value::Null];
    for value in texts.map(Value::from).into_iter().chain(others) {
        let input = json!({ "appointmentId": Uuid::new_v4(), "totalPrice": value });
        let (code, message) = service.client().error(RECORD, json!({ "input": input })).await;
        assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{value}: {message}");
        assert!(message.contains("totalPrice"), "{value}: {message}");
    }
    assert_eq!(service.stored().await.len(), 0);
}

#[rstest]
#[tokio::test]
async fn what_is_no_amount_fails_validation_by_name_as_a_literal(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let texts = ["10,50", "NaN", "1e400", "", " 1"].map(|text| format!("\"{text}\""));
    let others = ["10.5", "10", "1e4", "true", "null", "TEN", "[\"1\"]"].map(str::to_owned);
    for literal in texts.into_iter().chain(others) {
        let id = Uuid::new_v4();
        let query = format!(
            "mutation {{ recordPayment(input: {{ appointmentId: \"{id}\", totalPrice: {literal} }}) {{ payment {{ id }} }} }}"
        );
        let (code, message) = service.client().error(&query, json!({})).await;
        assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{literal}: {message}");
        assert!(message.contains("totalPrice"), "{literal}: {message}");
    }
    assert_eq!(service.stored().await.len(), 0);
}

#[rstest]
#[tokio::test]
async fn a_malformed_appointment_id_fails_validation_by_name(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let ids = [json!(""), json!("nonsense"), json!("ea959b03-5577-45c9-b9f7-a45d3e77ce8"), json!(1), Value::Null];
    for id in ids {
        let malformed = json!({ "appointmentId": id, "totalPrice": "1.00" });
        let (code, message) = service.client().error(RECORD, json!({ "input": malformed })).await;
        assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{id}: {message}");
        assert!(message.contains("appointmentId"), "{id}: {message}");
    }
    for field in ["appointmentId", "totalPrice"] {
        let mut incomplete = input(Uuid::new_v4(), "1.00");
        incomplete.as_object_mut().expect("an object").remove(field);
        let (code, message) = service.client().error(RECORD, json!({ "input": incomplete })).await;
        assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "without {field}: {message}");
        assert!(message.contains(field), "without {field}: {message}");
    }
    assert_eq!(service.stored().await.len(), 0);
}
