//! The instance id, and the refusal of payments for another instance.

use entity::finance_instance;
use rstest::rstest;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use testkit::{Backend, GraphqlClient};
use uuid::Uuid;

use crate::running::{Running, input, is_new, running, start_service};

const RECORD_FOR: &str = "mutation ($payments: [RecordPaymentInput!]!, $instance: UUID) {
    recordPayments(input: { payments: $payments, instanceId: $instance }) {
        results { payment { id } alreadyRecorded userErrors { ... on UserError { code } } }
        userErrors { __typename ... on UserError { code message field } ... on WrongInstance { instanceId } } } }";

async fn instance(client: &GraphqlClient) -> String {
    let told = client.call("{ instanceId }", json!({})).await;
    told["instanceId"].as_str().expect("an id").to_owned()
}

async fn record_for(service: &Running, instance: Value) -> Value {
    let payments = [input(Uuid::new_v4(), "1.00"), input(Uuid::new_v4(), "2.00")];
    let variables = json!({ "payments": payments, "instance": instance });
    service.client().call(RECORD_FOR, variables).await["recordPayments"].take()
}

#[rstest]
#[tokio::test]
async fn every_replica_tells_the_instance_id_of_the_database(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let replica = start_service(&service.db);
    let stored = finance_instance::Entity::find().one(&service.db.database.read).await.expect("read").expect("a row");
    let told = [instance(service.client()).await, instance(&replica.client).await];
    assert_eq!(told, [stored.id.to_string(), stored.id.to_string()]);
}

#[rstest]
#[tokio::test]
async fn payments_for_another_finance_are_refused_as_a_whole(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let (expected, own) = (Uuid::new_v4(), instance(service.client()).await);
    let refused = record_for(&service, json!(expected)).await;
    assert_eq!((&refused["results"], refused["userErrors"].as_array().map(Vec::len)), (&json!([]), Some(1)));
    let error = &refused["userErrors"][0];
    assert_eq!((&error["__typename"], &error["code"]), (&json!("WrongInstance"), &json!("WRONG_INSTANCE")));
    assert_eq!((&error["field"], &error["instanceId"]), (&json!(["input", "instanceId"]), &json!(own)));
    let message = error["message"].as_str().expect("a text");
    assert!(message.contains(&own) && message.contains(&expected.to_string()), "{message}");
    assert_eq!(service.stored().await.len(), 0);
}

#[rstest]
#[tokio::test]
async fn payments_for_this_finance_and_for_any_are_recorded(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    for expected in [json!(instance(service.client()).await), Value::Null] {
        let recorded = record_for(&service, expected).await;
        assert!(recorded["results"].as_array().is_some_and(|results| results.iter().all(is_new)), "{recorded}");
    }
    assert_eq!(service.stored().await.len(), 4);
}

#[tokio::test]
async fn a_database_that_was_replaced_under_a_running_finance_records_nothing_for_the_one_before() {
    use sea_orm::ConnectionTrait;
    let Some(service) = running(Backend::Postgres).await else { return };
    let before = instance(service.client()).await;
    // As after a reconnect that leads to another database at the same address.
    let other = format!(
        "ALTER TABLE finance_instance DISABLE TRIGGER USER; UPDATE finance_instance SET id = '{}'",
        Uuid::new_v4()
    );
    service.db.database.write.execute_unprepared(&other).await.expect("another");
    let answer = record_for(&service, json!(before)).await;
    assert_eq!(service.stored().await.len(), 0, "{answer}");
}
