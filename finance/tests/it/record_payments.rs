//! Recording many payments in one request, each by itself.

use rstest::rstest;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use testkit::{Backend, GraphqlClient};
use uuid::Uuid;

use crate::running::{input, is_already_recorded, is_new, refusal, running};

pub(crate) const RECORD_ALL: &str = "mutation ($payments: [RecordPaymentInput!]!) {
    recordPayments(input: { payments: $payments }) {
        results {
            payment { id appointmentId totalPrice recordedAt } alreadyRecorded
            userErrors { __typename ... on UserError { code message field }
                ... on PaymentConflict { payment { id appointmentId totalPrice recordedAt } } } }
        userErrors { __typename ... on UserError { code message field } } } }";

pub(crate) async fn record_all(client: &GraphqlClient, payments: &[Value]) -> Value {
    client.call(RECORD_ALL, json!({ "payments": payments })).await["recordPayments"].take()
}

fn results(payload: &Value) -> &[Value] {
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    payload["results"].as_array().expect("results")
}

/// Payments of new appointments: 0.01, 0.02 and so on.
fn new_payments(count: usize) -> Vec<Value> {
    (1..=count).map(|cents| input(Uuid::new_v4(), &format!("{}.{:02}", cents / 100, cents % 100))).collect()
}

#[rstest]
#[tokio::test]
async fn a_hundred_payments_are_answered_in_order(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let payments = new_payments(100);
    let answer = record_all(service.client(), &payments).await;
    assert_eq!(results(&answer).len(), 100);
    for (result, payment) in results(&answer).iter().zip(&payments) {
        assert!(is_new(result), "{result}");
        assert_eq!(result["payment"]["appointmentId"], payment["appointmentId"]);
        assert_eq!(result["payment"]["totalPrice"], payment["totalPrice"]);
    }
    assert_eq!(service.stored().await.len(), 100);

    let again = record_all(service.client(), &payments).await;
    for (again, first) in results(&again).iter().zip(results(&answer)) {
        assert!(is_already_recorded(again), "{again}");
        assert_eq!(again["payment"], first["payment"]);
    }
    assert_eq!(service.stored().await.len(), 100);
}

#[rstest]
#[tokio::test]
async fn a_conflict_and_an_invalid_amount_cost_the_others_nothing(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let known = Uuid::new_v4();
    let stored = service.record(known, "200.00").await;
    let mut payments = new_payments(100);
    payments[3] = input(Uuid::new_v4(), "1.005");
    payments[70] = input(known, "200.01");
    let answer = record_all(service.client(), &payments).await;

    let invalid = refusal(&results(&answer)[3]);
    assert_eq!((&invalid["__typename"], &invalid["code"]), (&json!("InvalidInput"), &json!("INVALID_INPUT")));
    assert_eq!(invalid["field"], json!(["input", "payments", "3", "totalPrice"]));
    let conflict = refusal(&results(&answer)[70]);
    assert_eq!((&conflict["__typename"], &conflict["code"]), (&json!("PaymentConflict"), &json!("PAYMENT_CONFLICT")));
    assert_eq!(conflict["field"], json!(["input", "payments", "70", "totalPrice"]));
    assert_eq!(conflict["payment"], stored["payment"]);

    for (index, (result, payment)) in results(&answer).iter().zip(&payments).enumerate() {
        if ![3, 70].contains(&index) {
            assert!(is_new(result), "{index}: {result}");
            assert_eq!(result["payment"]["appointmentId"], payment["appointmentId"], "{index}");
        }
    }
    assert_eq!(service.stored().await.len(), 1 + 98);
}

#[rstest]
#[tokio::test]
async fn an_appointment_that_comes_twice_in_one_request_is_recorded_once(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let appointment = Uuid::new_v4();
    let twice_and_another =
        [input(appointment, "10.5"), input(appointment, "10.50"), input(appointment, "11"), input(Uuid::new_v4(), "1")];
    let answer = record_all(service.client(), &twice_and_another).await;
    let [first, second, third, stranger] = results(&answer) else { panic!("{answer}") };
    assert!(is_new(first) && is_already_recorded(second) && is_new(stranger), "{answer}");
    assert_eq!(first["payment"], second["payment"]);
    assert_eq!(refusal(third)["payment"], first["payment"]);
    assert_eq!(service.stored().await.len(), 2);
}

#[rstest]
#[tokio::test]
async fn no_payments_and_101_are_refused_as_a_whole(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    for count in [0, 101] {
        let refused = record_all(service.client(), &new_payments(count)).await;
        assert_eq!(refused["results"], json!([]), "{count}");
        assert_eq!(refused["userErrors"].as_array().map(Vec::len), Some(1), "{count}");
        let error = &refused["userErrors"][0];
        assert_eq!((&error["code"], &error["field"]), (&json!("INVALID_INPUT"), &json!(["input", "payments"])));
    }
    assert_eq!(service.stored().await.len(), 0);
}

#[rstest]
#[tokio::test]
async fn one_malformed_payment_fails_the_request_by_name(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    for (field, value) in [("totalPrice", json!("10,50")), ("appointmentId", json!("nonsense"))] {
        let mut payments = new_payments(3);
        payments[1][field] = value;
        let (code, message) = service.client().error(RECORD_ALL, json!({ "payments": payments })).await;
        assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{message}");
        assert!(message.contains(field), "{message}");
    }
    assert_eq!(service.stored().await.len(), 0);
}

#[rstest]
#[tokio::test]
async fn a_fault_at_one_payment_nulls_its_own_result_only(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let no_666 = match backend {
        Backend::Sqlite => {
            "CREATE TRIGGER no_666 BEFORE INSERT ON payment WHEN NEW.total_price_cents = 66600
             BEGIN SELECT RAISE(ABORT, 'a fault'); END"
        }
        Backend::Postgres => "ALTER TABLE payment ADD CHECK (total_price_cents <> 66600)",
    };
    service.db.database.write.execute_unprepared(no_666).await.expect("a fault");
    let mut payments = new_payments(4);
    payments[2] = input(Uuid::new_v4(), "666.00");
    let answer = service.client().send(RECORD_ALL, json!({ "payments": payments })).await.body;
    let results = answer["data"]["recordPayments"]["results"].as_array().expect("results");
    assert!(results[2].is_null() && [0, 1, 3].iter().all(|index| is_new(&results[*index])), "{answer}");
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1));
    let error = &answer["errors"][0];
    assert_eq!(error["path"], json!(["recordPayments", "results", 2]));
    assert_eq!(error["extensions"]["code"], "INTERNAL_SERVER_ERROR");
    assert_eq!(service.stored().await.len(), 3);
}

#[rstest]
#[tokio::test]
async fn a_list_in_which_nothing_is_valid_is_refused_one_by_one(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let invalid = [input(Uuid::new_v4(), "1.005"), input(Uuid::new_v4(), "-1")];
    let answer = record_all(service.client(), &invalid).await;
    assert_eq!(results(&answer).iter().filter(|result| refusal(result)["code"] == "INVALID_INPUT").count(), 2);
    assert_eq!(service.stored().await.len(), 0);
}
