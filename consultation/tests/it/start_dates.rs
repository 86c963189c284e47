//! Start dates: each is kept exactly, or refused by name with nothing stored. The database's clock judges.

use std::time::Duration;

use chassis::{clock, config::Api};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use consultation::config::DomainSettings;
use entity::consultation::Entity as Consultations;
use migration::consultation::Migrator;
use rstest::rstest;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use testkit::{Backend, GraphqlClient, TestDatabase};
use uuid::Uuid;

use crate::running::{Running, domain, finish, refusal, running, start_with};

const START_AT: &str = "mutation ($physician: UUID!, $patient: UUID!, $at: DateTime) {
    startConsultation(input: { physicianId: $physician, patientId: $patient, startDate: $at }) {
        consultation { id status startDate } userErrors { ... on UserError { code message field } } } }";

async fn start_at(client: &GraphqlClient, at: &str) -> Value {
    let input = json!({ "physician": Uuid::new_v4(), "patient": Uuid::new_v4(), "at": at });
    client.call(START_AT, input).await["startConsultation"].take()
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn ago(by: TimeDelta) -> String {
    text(clock::now() - by)
}

async fn count(service: &Running) -> usize {
    Consultations::find().all(&service.db.database.read).await.expect("rows").len()
}

#[rstest]
#[tokio::test]
async fn a_start_that_was_entered_late_is_kept_and_the_price_follows_it(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let at = ago(TimeDelta::minutes(90));
    let started = start_at(service.client(), &at).await;
    assert_eq!(started["userErrors"], json!([]));
    assert_eq!(
        (&started["consultation"]["startDate"], &started["consultation"]["status"]),
        (&json!(at), &json!("IN_PROGRESS"))
    );
    let id = started["consultation"]["id"].as_str().expect("an id");
    let made: Uuid = id.parse().expect("a UUID");
    assert_eq!(clock::time_of(made).map(text), Some(at), "the order of ids is the order of starts");
    assert_eq!(finish(service.client(), id, None).await["consultation"]["price"], "300.00");
}

#[rstest]
#[case::in_the_future(TimeDelta::minutes(-1), "is in the future")]
#[case::too_long_ago(TimeDelta::hours(24) + TimeDelta::minutes(1), "at most 24 h ago")]
#[case::a_mistyped_year(TimeDelta::days(366), "check the date")]
#[tokio::test]
async fn a_start_date_that_breaks_a_rule_is_refused_by_name(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] by: TimeDelta,
    #[case] why: &str,
) {
    let Some(service) = running(backend).await else { return };
    let refused = start_at(service.client(), &ago(by)).await;
    assert_eq!(refusal(&refused), "INVALID_INPUT");
    assert_eq!(refused["userErrors"][0]["field"], json!(["input", "startDate"]));
    let message = refused["userErrors"][0]["message"].as_str().expect("a message");
    assert!(message.starts_with("startDate ") && message.contains(why), "{message}");
    assert_eq!(count(&service).await, 0);
}

#[rstest]
#[case("0000-01-01T00:00:00Z", "check the date")]
#[case("9999-12-31T23:59:59.999Z", "is in the future")]
// Clocks in Sao Paulo went from 23:59:59 to 01:00:00, and back from 23:59:59 to 23:00:00.
#[case("2018-11-04T00:30:00", "does not exist")]
#[case("2018-02-17T23:30:00", "happens twice")]
#[tokio::test]
async fn odd_dates_are_refused_too(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] at: &str,
    #[case] why: &str,
) {
    let Some(service) = running(backend).await else { return };
    let refused = start_at(service.client(), at).await;
    assert_eq!(refusal(&refused), "INVALID_INPUT");
    let message = refused["userErrors"][0]["message"].as_str().expect("a message");
    assert!(message.contains("startDate") && message.contains(why), "{message}");
    assert_eq!(count(&service).await, 0);
}

#[rstest]
#[tokio::test]
async fn a_start_date_without_offset_is_read_in_the_time_zone(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    // Sao Paulo has had no other offset since 2019.
    let local = (clock::now() - TimeDelta::hours(5)).format("%Y-%m-%dT%H:%M:%S").to_string();
    let started = start_at(service.client(), &local).await;
    let utc: DateTime<Utc> = format!("{local}-03:00").parse().expect("a date");
    assert_eq!(started["consultation"]["startDate"], text(utc));
}

#[rstest]
#[tokio::test]
async fn an_operator_may_allow_no_start_dates(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    db.database.migrate::<Migrator>().await.expect("migrated");
    let domain = DomainSettings { longest_backdate: Duration::ZERO, ..domain() };
    let service = start_with(&db, Api::default(), &domain);
    let refused = start_at(&service.client, &ago(TimeDelta::seconds(1))).await;
    assert_eq!(refusal(&refused), "INVALID_INPUT");
    let message = refused["userErrors"][0]["message"].as_str().expect("a message");
    assert!(message.contains("startDate is not accepted here: leave it out"), "{message}");
}
