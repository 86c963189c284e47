//! The export of a patient's data: all pages, each value in its documented form, or nothing.

use consultation::export::read;
use entity::{
    Currency, Money,
    consultation::{Column, Entity as Consultations},
    pending_payment, redelivery,
};
use rstest::rstest;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, sea_query::Expr};
use serde_json::{Value, json};
use testkit::{Backend, TestDatabase};
use uuid::Uuid;

use crate::{
    outbox::{outbox, rows},
    reconcile::{finance, last_page, payments},
};

/// Consultations of the patient, and one of another.
pub(crate) async fn consultations_of(patient: Uuid, count: usize, backend: Backend) -> Option<TestDatabase> {
    let db = outbox(backend, count + 1).await?;
    let other = Consultations::find().one(&db.database.read).await.expect("a row").expect("one");
    let of_patient = Consultations::update_many().col_expr(Column::PatientId, Expr::value(patient));
    let changed = of_patient.filter(Column::Id.ne(other.id)).exec(&db.database.write).await.expect("changed");
    assert_eq!(changed.rows_affected, count as u64);
    Some(db)
}

/// Adds the record of a redelivery after a settlement.
async fn redelivered(db: &TestDatabase, pending: &pending_payment::Model) -> redelivery::Model {
    let again = redelivery::Model {
        id: Uuid::new_v4(),
        appointment_id: pending.appointment_id,
        confirmed_at: None,
        requested_at: pending.created_at,
        requested_by: "operator".to_owned(),
        settled_price_cents: Some(Money::ZERO),
        settle_reason: Some("agreed".to_owned()),
        settled_by: Some("ana".to_owned()),
        settled_at: Some(pending.created_at),
    };
    again.into_active_model().insert(&db.database.write).await.expect("inserted")
}

fn currency() -> Currency {
    "BRL".parse().expect("a currency")
}

/// A finance that has recorded each payment that it is asked for.
fn recorded(variables: &Value) -> Value {
    let ids = variables["filter"]["appointmentIds"].as_array().expect("ids").iter();
    let each: Vec<_> = ids
        .map(|id| json!({ "id": id, "appointmentId": id, "totalPrice": "216.00", "recordedAt": "2026-11-27T12:00:00.000Z" }))
        .collect();
    payments(&each, &last_page())
}

#[rstest]
#[tokio::test]
async fn an_export_has_every_page_with_its_payments(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let patient = Uuid::new_v4();
    let Some(db) = consultations_of(patient, 205, backend).await else { return };
    let finance = finance(async |variables| recorded(&variables)).await;
    let stored = Consultations::find().filter(Column::PatientId.eq(patient)).order_by_asc(Column::Id);
    let stored = stored.all(&db.database.read).await.expect("rows");
    let (row, pending) = (&stored[204], rows(&db).await);
    let pending = pending.iter().find(|pending| pending.appointment_id == row.id).expect("its payment");
    let again = redelivered(&db, pending).await;
    let export = read(&db.database.read, Some(&finance), currency(), patient).await.expect("an export");
    let export = serde_json::to_value(&export).expect("JSON");
    let (head, exported) = (&export, export["consultations"].as_array().expect("a list"));
    assert_eq!((&head["format"], &head["version"]), (&json!("consultation-export"), &json!(1)));
    assert_eq!((&head["patientId"], &head["withFinance"]), (&json!(patient), &json!(true)));
    assert_eq!(head["currency"], "BRL");

    let ids: Vec<_> = stored.iter().map(|row| json!(row.id)).collect();
    assert_eq!(exported.iter().map(|consultation| consultation["id"].clone()).collect::<Vec<_>>(), ids);
    let time = |time: chrono::DateTime<chrono::Utc>| time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let expected = json!({
        "id": row.id, "physicianId": row.physician_id, "patientId": patient,
        "startDate": time(row.start_date), "endDate": row.end_date.map(time), "price": "999999999.99",
        "startedBy": null, "finishedBy": null, "cancelReason": null, "cancelledBy": null, "origin": null,
        "pendingPayment": {
            "id": pending.id, "appointmentId": row.id, "totalPrice": "999999999.99", "tries": 0, "finished": false,
            "nextAttemptAt": time(pending.next_attempt_at), "lastError": null, "rejections": 0, "parkedAt": null,
            "createdAt": time(pending.created_at), "finishedAt": null, "retriedBy": null,
            "settledPrice": null, "settleReason": null, "settledBy": null, "settledAt": null, "redeliveries": 0,
        },
        "redeliveries": [{
            "id": again.id, "appointmentId": row.id, "confirmedAt": null, "requestedAt": time(pending.created_at),
            "requestedBy": "operator", "settledPrice": "0.00", "settleReason": "agreed", "settledBy": "ana",
            "settledAt": time(pending.created_at),
        }],
        "payment": { "id": row.id, "appointmentId": row.id, "totalPrice": "216.00", "recordedAt": "2026-11-27T12:00:00.000Z" },
    });
    assert_eq!(exported[204], expected);
}

#[rstest]
#[tokio::test]
async fn an_export_without_finance_says_so(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let patient = Uuid::new_v4();
    let Some(db) = consultations_of(patient, 1, backend).await else { return };
    let export = read(&db.database.read, None, currency(), patient).await.expect("an export");
    let export = serde_json::to_value(&export).expect("JSON");
    assert_eq!((&export["withFinance"], &export["consultations"][0]["payment"]), (&json!(false), &Value::Null));
    assert_eq!(export["consultations"][0]["pendingPayment"]["totalPrice"], "999999999.99");
}
