//! What finance answers decides whether a refused payment can be settled.

use axum::{Json, Router, routing::post};
use consultation::permissions::PERMISSIONS;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Backend, RoleUsers};
use uuid::Uuid;

use crate::{
    outbox::{outbox, row},
    pending::park,
    reconcile::{last_page, payments},
    running::start_calling,
};

pub(crate) const SETTLE: &str = "mutation ($id: ID!) {
    settlePendingPayment(input: { consultationId: $id, reason: \"agreed\" }) {
        pendingPayment { status } userErrors { ... on UserError { code field } } } }";

/// A finance that has recorded this amount for each appointment that it is asked about, and for one that nobody else
/// knows if it is asked about all. Returns its URL.
pub(crate) async fn finance(amount: Option<&'static str>) -> String {
    finance_in("BRL", amount).await
}

/// The same with payments in this currency.
pub(crate) async fn finance_in(currency: &'static str, amount: Option<&'static str>) -> String {
    let answer = async move |Json(request): Json<Value>| {
        let id = request["variables"]["filter"]["appointmentIds"][0].as_str();
        let id = id.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
        let recorded = amount.map(|amount| {
            let at = "2026-11-27T12:00:00.000Z";
            json!({ "id": id, "appointmentId": id, "totalPrice": amount, "currency": currency, "recordedAt": at })
        });
        Json(payments(recorded.as_slice(), &last_page()))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/graphql", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/graphql", post(answer))).await });
    url
}

#[rstest]
#[case::nothing(None, "PAYMENT_NOT_RECORDED")]
#[case::our_amount(Some("999999999.99"), "AMOUNTS_AGREE")]
#[tokio::test]
async fn without_another_amount_in_finance_nothing_is_settled(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] recorded: Option<&'static str>,
    #[case] code: &str,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    park(&db, [row(&db).await.id], "refused").await;
    let parked = row(&db).await;
    let service = start_calling(&db, RoleUsers::of(PERMISSIONS.roles).access(), &finance(recorded).await);
    let operator = service.client.as_user("operator");
    let refused = operator.call(SETTLE, json!({ "id": parked.appointment_id })).await;
    let expected = json!({
        "pendingPayment": null, "userErrors": [{ "code": code, "field": ["input", "consultationId"] }]
    });
    assert_eq!((&refused["settlePendingPayment"], row(&db).await), (&expected, parked));
}
