//! Finding payments by appointment and by the time they were recorded.

use entity::payment;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::Backend;
use uuid::Uuid;

use crate::{
    history::{noon_and, recorded_at},
    running::{Running, running},
};

const BY_FILTER: &str = "query ($filter: PaymentFilter) {
    payments(filter: $filter, first: 100) { totalCount edges { node { appointmentId } } } }";

/// The appointments that the filter lists.
async fn listed(service: &Running, filter: Value) -> Vec<Value> {
    let list = service.client().call(BY_FILTER, json!({ "filter": &filter })).await;
    let edges = list["payments"]["edges"].as_array().expect("edges");
    assert_eq!(list["payments"]["totalCount"], edges.len(), "{filter}");
    edges.iter().map(|edge| edge["node"]["appointmentId"].clone()).collect()
}

/// The appointments of payments.
fn of(payments: &[&payment::Model]) -> Vec<Value> {
    payments.iter().map(|payment| json!(payment.appointment_id)).collect()
}

#[rstest]
#[tokio::test]
async fn payments_are_listed_by_appointment(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let one = recorded_at(&service.db, noon_and(0)).await;
    let two = recorded_at(&service.db, noon_and(1)).await;
    let three = recorded_at(&service.db, noon_and(2)).await;
    let stranger = Uuid::new_v4();
    let filter = json!({ "appointmentIds": [three.appointment_id, stranger, one.appointment_id, one.appointment_id] });
    assert_eq!(listed(&service, filter).await, of(&[&one, &three]), "in the order of recording, each once");
    assert_eq!(listed(&service, json!({ "appointmentIds": [stranger] })).await, of(&[]));
    assert_eq!(listed(&service, json!({ "appointmentIds": [] })).await, of(&[]), "no appointments, no payments");
    for all in [json!({ "appointmentIds": null }), json!({}), Value::Null] {
        assert_eq!(listed(&service, all).await, of(&[&one, &two, &three]));
    }
}

#[rstest]
#[tokio::test]
async fn payments_are_listed_by_period_with_its_start_and_without_its_end(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let before = recorded_at(&service.db, noon_and(-1)).await;
    let at = recorded_at(&service.db, noon_and(0)).await;
    let after = recorded_at(&service.db, noon_and(1)).await;
    let (noon, noon_in_brazil) = ("2021-08-02T15:00:00.123Z", "2021-08-02T12:00:00.123-03:00");
    for noon in [noon, noon_in_brazil] {
        assert_eq!(listed(&service, json!({ "recordedFrom": noon })).await, of(&[&at, &after]));
        assert_eq!(listed(&service, json!({ "recordedBefore": noon })).await, of(&[&before]));
    }
    let instant = json!({ "recordedFrom": noon, "recordedBefore": "2021-08-02T15:00:00.124Z" });
    assert_eq!(listed(&service, instant).await, of(&[&at]));
    let nothing = json!({ "recordedFrom": noon, "recordedBefore": noon });
    assert_eq!(listed(&service, nothing).await, of(&[]));
    let always = json!({ "recordedFrom": "0000-01-01T00:00:00Z", "recordedBefore": "9999-12-31T23:59:59.999Z" });
    assert_eq!(listed(&service, always).await, of(&[&before, &at, &after]));
    let never = json!({ "recordedBefore": "1969-12-31T23:59:59Z" });
    assert_eq!(listed(&service, never).await, of(&[]));
    let conditions = json!({ "recordedFrom": noon, "appointmentIds": [before.appointment_id, after.appointment_id] });
    assert_eq!(listed(&service, conditions).await, of(&[&after]), "conditions add up");
}

#[rstest]
#[tokio::test]
async fn a_payment_is_in_the_period_that_its_own_time_begins(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let recorded = service.record(Uuid::new_v4(), "1.00").await["payment"].take();
    let from = listed(&service, json!({ "recordedFrom": recorded["recordedAt"] })).await;
    assert_eq!(from, [recorded["appointmentId"].clone()]);
    let before = listed(&service, json!({ "recordedBefore": recorded["recordedAt"] })).await;
    assert_eq!(before, of(&[]));
}

#[rstest]
#[tokio::test]
async fn a_filter_that_makes_no_sense_is_refused_by_name(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let ids: Vec<_> = (0..101).map(|_| Uuid::new_v4()).collect();
    let refused = [
        ("recordedFrom", json!("2021-08-02T12:00:00")),
        ("recordedBefore", json!("2021-08-02T12:00:00.5")),
        ("appointmentIds", json!(ids)),
    ];
    for (field, value) in refused {
        let (code, message) = service.client().error(BY_FILTER, json!({ "filter": { field: value } })).await;
        assert_eq!(code, "BAD_USER_INPUT", "{field}");
        assert!(message.starts_with(&format!("filter.{field}: want ")), "{message}");
    }
    assert_eq!(listed(&service, json!({ "appointmentIds": ids[..100] })).await, of(&[]), "100 are allowed");
    for (field, value) in [("recordedFrom", json!("2021-08-02")), ("appointmentIds", json!(["nonsense"]))] {
        let (code, message) = service.client().error(BY_FILTER, json!({ "filter": { field: value } })).await;
        assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{field}");
        assert!(message.contains(field), "{message}");
    }
}

/// Recorded by a replica whose clock is behind by the most that `--finance-max-clock-difference` allows.
#[rstest]
#[tokio::test]
async fn a_payment_is_in_its_period_whoever_made_its_id(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    use sea_orm::{ActiveModelTrait, ActiveValue::Set};
    let Some(service) = running(backend).await else { return };
    let now = chassis::clock::now();
    let row = payment::ActiveModel {
        id: Set(chassis::clock::id_at(now - chrono::TimeDelta::seconds(75))),
        appointment_id: Set(Uuid::new_v4()),
        total_price_cents: Set(entity::Money::MAX),
        recorded_at: Set(now),
        recorded_by: Set(None),
    };
    let row = row.insert(&service.db.database.write).await.expect("inserted");
    let from = (now - chrono::TimeDelta::minutes(1)).to_rfc3339();
    assert_eq!(listed(&service, json!({ "recordedFrom": from })).await, of(&[&row]));
}
