//! The predecessor's endpoint, as its clients call it.

use axum::http::Method;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, Backend};
use uuid::Uuid;

use crate::running::{Running, running};

const RECORD: &str = "/app/finance/record/";

async fn record(service: &Running, body: String) -> Answer {
    Answer::of(service.client().request(Method::POST, RECORD).body(body)).await
}

fn body(appointment: Uuid, total_price: &str) -> String {
    format!(r#"{{ "appointment_id": "{appointment}", "total_price": {total_price} }}"#)
}

#[rstest]
#[tokio::test]
async fn a_payment_is_recorded_and_repeated_is_reported(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[values("216", "216.0", "216.00", "\"216.00\"", "\" 216 \"")] total_price: &str,
) {
    let Some(service) = running(backend).await else { return };
    let appointment = Uuid::new_v4();
    let recorded = record(&service, body(appointment, total_price)).await;
    let wanted = json!({ "id": recorded.body["id"], "appointment_id": appointment, "total_price": 216.0 });
    assert_eq!((recorded.status, &recorded.body), (201, &wanted));
    let repeated = record(&service, body(appointment, "216.00")).await;
    assert_eq!((repeated.status, &repeated.body), (208, &wanted));
    let other = record(&service, body(appointment, "216.01")).await;
    let refusal = "The appointment is recorded with 216.00; nothing was changed";
    assert_eq!((other.status, other.body), (400, Value::from(refusal)));
    assert_eq!(service.stored().await.len(), 1);
}

#[rstest]
#[case("null", "total_price is missing")]
#[case("\"\"", "total_price is missing")]
#[case("true", "total_price must be a decimal")]
#[case("\"ten\"", "total_price must be a decimal")]
#[case("2.16e2", "total_price must be a decimal")]
#[case("{}", "total_price must be a decimal")]
#[case("-1", "total_price must not be negative")]
#[case("0.001", "total_price must have at most two decimals")]
#[case("1000000000.00", "total_price must be at most 999999999.99")]
#[tokio::test]
async fn an_amount_that_is_no_money_is_refused(#[case] total_price: &str, #[case] why: &str) {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let refused = record(&service, body(Uuid::new_v4(), total_price)).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.as_str().is_some_and(|text| text.contains(why)), "{}", refused.body);
    assert_eq!(service.stored().await.len(), 0);
}

#[rstest]
#[case("0.01")]
#[case("0.1")]
#[case("999999999.99")]
#[tokio::test]
async fn an_amount_goes_out_exactly_as_it_is_stored(#[case] total_price: &str) {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let recorded = record(&service, body(Uuid::new_v4(), total_price)).await;
    assert_eq!(recorded.body["total_price"].to_string(), total_price);
}

#[tokio::test]
async fn the_openapi_document_names_the_endpoint_and_the_programs_version() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let request = service.client().get("/openapi.json").basic_auth("admin", Some("teste123"));
    let document = Answer::of(request).await;
    assert!(document.body["paths"][RECORD.trim_end_matches('/')]["post"].is_object(), "{}", document.body);
    assert_eq!(document.body["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let refused = record(&service, format!("{{ \"x\": \"{}\" }}", "x".repeat(20_000))).await;
    assert_eq!((refused.status, refused.body.is_string()), (413, true));
}
