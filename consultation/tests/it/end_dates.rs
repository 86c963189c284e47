//! End dates: each is accepted exactly, or refused by name with nothing stored.

use axum::http::Method;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use entity::consultation::{Column, Entity as Consultations};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};
use testkit::{Answer, Backend};
use uuid::Uuid;

use crate::running::{FINISH, Running, refusal, running, running_without_longest};

/// Finishes a new consultation at `end`.
async fn finish_at(service: &Running, end: &str) -> Value {
    let (id, _) = service.started().await;
    service.finish(&id, Some(end)).await
}

/// Moves the start of the consultation by `by` into the past.
async fn move_start(service: &Running, id: &str, by: TimeDelta) {
    let id: Uuid = id.parse().expect("an id");
    let stored = Consultations::find_by_id(id).one(&service.db.database.read).await.expect("read").expect("stored");
    let earlier = Consultations::update_many().col_expr(Column::StartDate, Expr::value(stored.start_date - by));
    earlier.filter(Column::Id.eq(id)).exec(&service.db.database.write).await.expect("updated");
}

fn message(payload: &Value) -> &str {
    payload["userErrors"][0]["message"].as_str().expect("a message")
}

fn later(start: &str, by: TimeDelta) -> String {
    let start: DateTime<Utc> = start.parse().expect("a date");
    (start + by).to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[rstest]
#[tokio::test]
async fn a_consultation_lasts_at_most_24_hours_and_not_a_millisecond_more(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let (id, start) = service.started().await;
    let longest = TimeDelta::hours(24);
    let refused = service.finish(&id, Some(&later(&start, longest + TimeDelta::milliseconds(1)))).await;
    assert_eq!(refusal(&refused), "INVALID_INPUT");
    assert_eq!(refused["userErrors"][0]["field"], json!(["input", "endDate"]));
    let (message, second) = (message(&refused), &start[.."2021-08-02T12:00:00".len()]);
    assert!(message.contains("at most 24 h") && message.contains("endDate when it really ended"), "{message}");
    assert!(message.contains(&format!("{second}Z")), "the start is told: {message}");
    assert_eq!(service.pending_payments().await.len(), 0);

    let finished = service.finish(&id, Some(&later(&start, longest))).await;
    assert_eq!(finished["consultation"]["price"], "4800.00");
}

#[rstest]
#[tokio::test]
async fn a_forgotten_finish_asks_when_the_consultation_really_ended(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let (id, start) = service.started().await;
    move_start(&service, &id, TimeDelta::hours(25)).await;
    let refused = service.finish(&id, None).await;
    assert_eq!(refusal(&refused), "INVALID_INPUT");
    assert_eq!(refused["userErrors"][0]["field"], json!(["input", "endDate"]));
    assert!(message(&refused).contains("endDate when it really ended"), "{refused}");

    let body = json!({ "consultation_id": id }).to_string();
    let request = service.client().request(Method::PUT, "/app/consultation/finish/").body(body);
    let answer = Answer::of(request.header("accept-language", "pt-BR")).await;
    assert_eq!(answer.status, 400);
    let message = answer.body.as_str().expect("a text");
    assert!(
        message.contains("no máximo 24 h") && message.contains("end_date quando ela realmente terminou"),
        "{message}"
    );

    let ended = later(&start, TimeDelta::minutes(90) - TimeDelta::hours(25));
    assert_eq!(service.finish(&id, Some(&ended)).await["consultation"]["price"], "300.00");
}

#[rstest]
#[case("2126-08-02T15:00:00Z", "2126-08-02T15:00:00.000Z")]
#[case("2126-08-02T12:00:00-03:00", "2126-08-02T15:00:00.000Z")]
#[case("2126-08-02T12:00:00", "2126-08-02T15:00:00.000Z")]
#[case("2126-08-02T12:00:00.25", "2126-08-02T15:00:00.250Z")]
// As an HTML field of the type datetime-local gives it.
#[case("2126-08-02T12:00", "2126-08-02T15:00:00.000Z")]
#[tokio::test]
async fn an_end_date_is_kept_exactly_and_without_offset_read_in_the_time_zone(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] given: &str,
    #[case] kept: &str,
) {
    let Some(service) = running_without_longest(backend).await else { return };
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
    let Some(service) = running_without_longest(backend).await else { return };
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
#[case(json!("2021-08-02T23:59:60Z"))]
#[case(json!("2021-8-2T1:2:3"))]
#[case(json!("2021-08-02 12:00:00Z"))]
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
