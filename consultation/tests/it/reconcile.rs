//! Reconciliation beside running services: changes while it reads are no difference.

use axum::{Json, Router, routing::post};
use consultation::{
    config::FinanceTarget,
    finance_client::{FinanceClient, REQUEST_TIMEOUT},
    outbox::store::{self, Due},
    reconcile::{Handling, Reconciliation, reconcile},
};
use entity::pending_payment;
use rstest::rstest;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use testkit::{Backend, TestDatabase};
use uuid::Uuid;

use crate::outbox::{LEASE, currency, outbox, rows};

/// A finance that responds to each query for payments with `answer` of its variables.
pub(crate) async fn finance<A: Future<Output = Value> + Send>(
    answer: impl Fn(Value) -> A + Clone + Send + Sync + 'static,
) -> FinanceClient {
    let handler = async move |Json(mut request): Json<Value>| Json(answer(request["variables"].take()).await);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/graphql", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/graphql", post(handler))).await });
    let target = FinanceTarget::in_development(url.parse().expect("a URL"));
    FinanceClient::new(target, currency(), REQUEST_TIMEOUT).expect("a client")
}

/// A page of payments, in the currency of prices unless they have another.
pub(crate) fn payments(payments: &[Value], page_info: &Value) -> Value {
    let edge = |payment: &Value| {
        let mut node = payment.clone();
        node["currency"] = payment.get("currency").cloned().unwrap_or_else(|| json!(currency().code()));
        json!({ "node": node })
    };
    let edges: Vec<_> = payments.iter().map(edge).collect();
    json!({ "data": { "payments": { "edges": edges, "pageInfo": page_info } } })
}

pub(crate) fn last_page() -> Value {
    json!({ "hasNextPage": false, "endCursor": null })
}

/// The reconciliation and its lines.
async fn compare(db: &TestDatabase, finance: &FinanceClient) -> (anyhow::Result<Reconciliation>, Vec<String>) {
    let mut lines = Vec::new();
    let report = |finding: consultation::reconcile::Finding| {
        lines.push(finding.to_string());
        Ok(())
    };
    let reconciliation = reconcile(&db.database, finance, &mut Handling::default(), None, report).await;
    (reconciliation, lines)
}

#[rstest]
#[tokio::test]
async fn a_payment_delivered_while_it_reads_is_in_transit_and_not_missing(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 3).await else { return };
    let database = db.database.write.clone();
    // The response is of a moment before the delivery. The delivery is written down before the response arrives.
    let finance = finance(move |_| {
        let database = database.clone();
        async move {
            let leases = store::claim(&database, Due::All, 100, LEASE).await.expect("a claim");
            store::confirm(&database, &leases.iter().collect::<Vec<_>>()).await.expect("confirmed");
            payments(&[], &last_page())
        }
    });
    let (reconciliation, lines) = compare(&db, &finance.await).await;
    let expected = Reconciliation { consultations: 3, in_transit: 3, ..Reconciliation::default() };
    assert_eq!((reconciliation.expect("compared"), lines), (expected, Vec::new()));
    assert!(rows(&db).await.iter().all(|row| row.finished));
}

#[rstest]
#[tokio::test]
async fn a_consultation_finished_while_it_reads_has_its_payment(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let late = outbox(backend, 1).await.expect("another");
    let (row, late_row) = (rows(&db).await.remove(0), rows(&late).await.remove(0));
    let other = entity::consultation::Entity::find_by_id(late_row.appointment_id);
    let other = other.one(&late.database.read).await.expect("a row").expect("finished");
    let database = db.database.write.clone();
    let finance = finance(move |variables| {
        let (database, row, late_row, other) = (database.clone(), row.clone(), late_row.clone(), other.clone());
        async move {
            let payment = |row: &pending_payment::Model| {
                let amount = row.total_price_cents.to_string();
                let at = "2026-11-27T12:00:00.000Z";
                json!({ "id": row.id, "appointmentId": row.appointment_id, "totalPrice": amount, "recordedAt": at })
            };
            if !variables["filter"].is_null() {
                return payments(&[payment(&row)], &last_page());
            }
            // After the page of consultations that was read. Finance has the payment before this page of payments.
            other.into_active_model().insert(&database).await.expect("finished");
            payments(&[payment(&row), payment(&late_row)], &last_page())
        }
    });
    let (reconciliation, lines) = compare(&db, &finance.await).await;
    let expected = Reconciliation { consultations: 1, payments: 2, ..Reconciliation::default() };
    assert_eq!((reconciliation.expect("compared"), lines), (expected, Vec::new()));
}

/// Makes payments two hours old by the database's clock.
pub(crate) async fn age(db: &TestDatabase) {
    let database = &db.database.write;
    let two_hours_ago = match database.get_database_backend() {
        DbBackend::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-2 hours')",
        _ => "date_trunc('milliseconds', statement_timestamp() - interval '2 hours')",
    };
    let age = format!("UPDATE pending_payment SET created_at = {two_hours_ago}");
    database.execute_unprepared(&age).await.expect("aged");
}

#[rstest]
#[tokio::test]
async fn what_is_in_transit_for_over_an_hour_is_named_and_no_difference(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 2).await else { return };
    store::claim(&db.database.write, Due::All, 2, LEASE).await.expect("a claim");
    let finance = finance(async |_| payments(&[], &last_page())).await;
    let young = Reconciliation { consultations: 2, in_transit: 2, ..Reconciliation::default() };
    assert_eq!(compare(&db, &finance).await.0.expect("compared"), young);

    age(&db).await;
    let (reconciliation, lines) = compare(&db, &finance).await;
    let reconciliation = reconciliation.expect("compared");
    assert_eq!(reconciliation, Reconciliation { overdue: 2, ..young });
    assert!(reconciliation.to_string().ends_with("2 in transit (2 for over an hour), 0 differences"));
    let mut expected: Vec<_> = rows(&db)
        .await
        .iter()
        .map(|row| {
            let (id, since) = (row.appointment_id, row.created_at.format("%Y-%m-%dT%H:%M:%S%.3fZ"));
            format!("IN_TRANSIT_FOR_LONG consultation={id} price=999999999.99 since={since} tries=1")
        })
        .collect();
    expected.sort();
    assert_eq!(lines, expected);
}

#[rstest]
#[tokio::test]
async fn another_finance_than_the_accepted_one_is_not_compared(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let (accepted, told) = (Uuid::new_v4(), Uuid::new_v4());
    store::meet(&db.database.write, accepted).await.expect("stored");
    let finance = finance(move |_| async move { json!({ "data": { "instanceId": told } }) }).await;
    let (reconciliation, lines) = compare(&db, &finance).await;
    let error = format!("{:#}", reconciliation.expect_err("not compared"));
    assert!(error.contains(&accepted.to_string()) && error.contains(&told.to_string()), "{error}");
    assert!(lines.is_empty());
}

#[rstest]
#[case::nowhere(json!({ "hasNextPage": true, "endCursor": null }))]
#[case::where_it_was(json!({ "hasNextPage": true, "endCursor": "again" }))]
#[tokio::test]
async fn pages_that_lead_nowhere_are_an_error_and_no_end(#[case] page_info: Value) {
    let Some(db) = outbox(Backend::Sqlite, 0).await else { return };
    let finance = finance(move |_| {
        let page_info = page_info.clone();
        async move { payments(&[], &page_info) }
    });
    let error = compare(&db, &finance.await).await.0.expect_err("not compared");
    assert!(format!("{error:#}").contains("next page"), "{error:#}");
}

#[rstest]
#[tokio::test]
async fn what_was_finished_when_the_clock_was_ahead_and_does_not_arrive_is_named(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let in_a_year = match db.database.write.get_database_backend() {
        DbBackend::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '365 days')",
        _ => "statement_timestamp() + interval '365 days'",
    };
    let ahead = format!("UPDATE pending_payment SET created_at = {in_a_year}");
    db.database.write.execute_unprepared(&ahead).await.expect("ahead");
    let finance = finance(async |_| payments(&[], &last_page())).await;
    assert_eq!(compare(&db, &finance).await.0.expect("compared").overdue, 1, "nobody knows since when");
}
