//! Payments of a finance with another currency are never taken for ours: 150.00 there is not 150.00 here.

use consultation::{
    config::FinanceTarget,
    export,
    finance_client::{FinanceClient, REQUEST_TIMEOUT},
    permissions::PERMISSIONS,
    reconcile::{Adopt, Handling, reconcile},
};
use entity::consultation::Entity as Consultations;
use rstest::rstest;
use sea_orm::EntityTrait;
use serde_json::json;
use testkit::{Backend, RoleUsers};

use crate::{
    outbox::{currency, outbox, row},
    pending::park,
    running::start_calling,
    settle::{SETTLE, finance_in},
};

/// A finance that has recorded this amount in USD.
async fn usd(amount: &'static str) -> FinanceClient {
    let target = FinanceTarget::in_development(finance_in("USD", Some(amount)).await.parse().expect("a URL"));
    FinanceClient::new(target, currency(), REQUEST_TIMEOUT).expect("a client")
}

#[track_caller]
fn assert_names_both_settings(error: &str) {
    for part in ["payments in USD", "prices are in BRL", "--consultation-currency", "--finance-currency"] {
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[rstest]
#[tokio::test]
async fn an_amount_in_another_currency_settles_nothing(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 1).await else { return };
    park(&db, [row(&db).await.id], "refused").await;
    let parked = row(&db).await;
    let url = finance_in("USD", Some("150.00")).await;
    let service = start_calling(&db, RoleUsers::of(PERMISSIONS.roles).access(), &url);
    let answer = service.client.as_user("operator").send(SETTLE, json!({ "id": parked.appointment_id })).await;
    let error = &answer.body["errors"][0];
    assert_eq!(error["extensions"]["code"], "UNAVAILABLE", "{}", answer.body);
    assert_names_both_settings(error["message"].as_str().expect("a message"));
    assert_eq!(row(&db).await, parked);
}

#[rstest]
#[tokio::test]
async fn a_payment_in_another_currency_is_neither_compared_nor_adopted(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[values(0, 1)] consultations: usize,
) {
    let Some(db) = outbox(backend, consultations).await else { return };
    let finance = usd("999999999.99").await;
    let mut handling = Handling { adopt: Adopt::All, send_again: true, ..Handling::default() };
    let compared = reconcile(&db.database, &finance, &mut handling, None, |finding| panic!("{finding}")).await;
    assert_names_both_settings(&format!("{:#}", compared.expect_err("not compared")));
    let stored = Consultations::find().all(&db.database.read).await.expect("rows");
    assert_eq!(stored.len(), consultations);
}

#[rstest]
#[tokio::test]
async fn an_export_has_no_amount_in_another_currency(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 1).await else { return };
    let consultation = Consultations::find().one(&db.database.read).await.expect("read").expect("one");
    let finance = usd("150.00").await;
    let export = export::read(&db.database.read, Some(&finance), currency(), consultation.patient_id).await;
    assert_names_both_settings(&format!("{:#}", export.expect_err("no export")));
}
