//! End dates: each is accepted exactly, or refused by name with nothing stored.

use rstest::rstest;
use serde_json::{Value, json};
use testkit::Backend;

use crate::running::{FINISH, Running, refusal, running};

/// Finishes a new consultation at `end`.
async fn finish_at(service: &Running, end: &str) -> Value {
    let (id, _) = service.started().await;
    service.finish(&id, Some(end)).await
}

#[rstest]
#[case("2126-08-02T15:00:00Z", "2126-08-02T15:00:00.000Z")]
#[case("2126-08-02T12:00:00-03:00", "2126-08-02T15:00:00.000Z")]
#[case("2126-08-02T12:00:00", "2126-08-02T15:00:00.000Z")]
#[case("2126-08-02T12:00:00.25", "2126-08-02T15:00:00.250Z")]
#[tokio::test]
async fn an_end_date_is_kept_exactly_and_without_offset_read_in_the_time_zone(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] given: &str,
    #[case] kept: &str,
) {
    let Some(service) = running(backend).await else { return };
    assert_eq!(finish_at(&service, given).await["consultation"]["endDate"], kept);
}

#[rstest]
#[case("2020-01-01T00:00:00Z", "later than the start")]
#[case("0000-01-01T00:00:00Z", "later than the start")]
#[case("9999-12-31T23:59:59Z", "above 999999999.99")]
// Clocks in Sao Paulo went from 23:59:59 to 01:00:00, and back from 23:59:59 to 23:00:00.
#[case("2018-11-04T00:30:00", "does not exist")]
#[case("2018-02-17T23:30:00", "happens twice")]
#[tokio::test]
async fn an_end_date_that_breaks_a_rule_is_refused_by_name(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] end: &str,
    #[case] why: &str,
) {
    let Some(service) = running(backend).await else { return };
    let refused = finish_at(&service, end).await;
    assert_eq!(refusal(&refused), "INVALID_INPUT");
    assert_eq!(refused["userErrors"][0]["field"], json!(["input", "endDate"]));
    let message = refused["userErrors"][0]["message"].as_str().expect("a message");
    assert!(message.contains(why), "{message}");
    assert_eq!(service.pending_payments().await.len(), 0);
}

#[rstest]
#[tokio::test]
async fn the_start_itself_is_no_end(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let (id, start) = service.started().await;
    assert_eq!(refusal(&service.finish(&id, Some(&start)).await), "INVALID_INPUT");
}

#[rstest]
#[case(json!("yesterday"))]
#[case(json!("2021-08-02"))]
#[case(json!("2021-13-02T00:00:00Z"))]
#[case(json!("+10000-01-01T00:00:00Z"))]
#[case(json!(1_627_905_600))]
#[tokio::test]
async fn what_is_no_date_fails_validation_by_name(#[case] end: Value) {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let (id, _) = service.started().await;
    let (code, message) = service.client().error(FINISH, json!({ "id": id, "end": end })).await;
    assert_eq!(code, "GRAPHQL_VALIDATION_FAILED");
    assert!(message.contains("endDate") || message.contains("end"), "{message}");
    assert_eq!(service.pending_payments().await.len(), 0);
}
