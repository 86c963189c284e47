//! The currency: told with each amount, and payments in another are refused as a whole.

use rstest::rstest;
use serde_json::{Value, json};
use testkit::Backend;
use uuid::Uuid;

use crate::running::{Running, input, is_new, running};

const RECORD_IN: &str = "mutation ($payments: [RecordPaymentInput!]!, $currency: String) {
    recordPayments(input: { payments: $payments, currency: $currency }) {
        results { payment { totalPrice currency } alreadyRecorded userErrors { ... on UserError { code } } }
        userErrors { __typename ... on UserError { code errorCode message field } ... on WrongCurrency { currency } } } }";

async fn record_in(service: &Running, currency: Value) -> Value {
    let payments = [input(Uuid::new_v4(), "1.00"), input(Uuid::new_v4(), "2.00")];
    let variables = json!({ "payments": payments, "currency": currency });
    service.client().call(RECORD_IN, variables).await["recordPayments"].take()
}

#[rstest]
#[tokio::test]
async fn payments_in_another_currency_are_refused_as_a_whole(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[values("USD", "brl", "")] currency: &str,
) {
    let Some(service) = running(backend).await else { return };
    let refused = record_in(&service, json!(currency)).await;
    let error = json!({
        "__typename": "WrongCurrency", "code": "WRONG_CURRENCY", "errorCode": "WRONG_CURRENCY",
        "message": "This finance has payments in BRL; nothing was recorded",
        "field": ["input", "currency"], "currency": "BRL",
    });
    assert_eq!(refused, json!({ "results": [], "userErrors": [error] }));
    assert_eq!(service.stored().await.len(), 0);
}

#[rstest]
#[tokio::test]
async fn payments_in_the_currency_of_finance_and_in_none_are_recorded(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    for currency in [json!("BRL"), Value::Null] {
        let recorded = record_in(&service, currency).await;
        let results = recorded["results"].as_array().expect("a list");
        assert!(results.iter().all(|result| is_new(result) && result["payment"]["currency"] == "BRL"), "{recorded}");
    }
    assert_eq!(service.stored().await.len(), 4);
}
