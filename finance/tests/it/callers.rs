//! Who recorded a payment: the first caller stays, and each row of a batch keeps its own.

use axum::http::Method;
use entity::{Money, payment};
use finance::writer::Record;
use rstest::rstest;
use sea_orm::EntityTrait;
use serde_json::json;
use testkit::{Answer, Backend, RoleUsers};
use uuid::Uuid;

use crate::{
    record_writer::{write, writer},
    running::{is_already_recorded, is_new, record, running, start_for},
};

const RECORDED_BY: &str = "{ payments { edges { node { recordedBy } } } }";

#[rstest]
#[tokio::test]
async fn a_payment_that_another_records_again_keeps_its_first_caller(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let users = RoleUsers::equal(&["relay", "fabio"]);
    let replica = start_for(&service.db, users.access());
    let [relay, fabio] = ["relay", "fabio"].map(|user| replica.client.as_user(user));
    let appointment = Uuid::new_v4();
    assert!(is_new(&record(&relay, appointment, "216.00").await));
    assert!(is_already_recorded(&record(&fabio, appointment, "216.00").await));
    let by_hand = json!({ "appointment_id": Uuid::new_v4(), "total_price": "200.00" });
    let by_hand = fabio.request(Method::POST, "/app/finance/record/").body(by_hand.to_string());
    assert_eq!(Answer::of(by_hand).await.status, 201);
    let listed = fabio.call(RECORDED_BY, json!({})).await["payments"]["edges"].take();
    assert_eq!(listed, json!([{ "node": { "recordedBy": "relay" } }, { "node": { "recordedBy": "fabio" } }]));
}

#[rstest]
#[tokio::test]
async fn each_payment_of_a_batch_keeps_its_own_caller(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some((db, writer)) = writer(backend).await else { return };
    let names = ["relay", "fabio", "https://issuer.example#8f2c"];
    let rows = names.map(|name| Record::new(Uuid::new_v4(), Money::MAX, name.into()));
    write(&writer, &rows).await;
    let stored = payment::Entity::find().all(&db.database.read).await.expect("rows");
    let mut stored: Vec<_> = stored.into_iter().map(|payment| payment.recorded_by.expect("a name")).collect();
    let mut names = names.map(str::to_owned).to_vec();
    stored.sort_unstable();
    names.sort_unstable();
    assert_eq!(stored, names);
}
