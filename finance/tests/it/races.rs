//! Simultaneous recordings, at one service and at two replicas on one database.

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Backend, GraphqlClient};
use uuid::Uuid;

use crate::{
    record_payments::record_all,
    running::{Running, input, is_already_recorded, is_new, record, refusal, running, start_service},
};

/// Records all amounts for one appointment at once, spread over the replicas.
async fn race(service: &Running, replicas: usize, appointment: Uuid, amounts: &[String]) -> Vec<Value> {
    let others: Vec<_> = (1..replicas).map(|_| start_service(&service.db)).collect();
    let clients: Vec<&GraphqlClient> =
        std::iter::once(service.client()).chain(others.iter().map(|other| &other.client)).collect();
    let spread = amounts.iter().zip(clients.iter().cycle());
    join_all(spread.map(|(amount, client)| record(client, appointment, amount))).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_50_simultaneous_recordings_of_one_payment_one_is_new(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[values(1, 2)] replicas: usize,
) {
    let Some(service) = running(backend).await else { return };
    let answers = race(&service, replicas, Uuid::new_v4(), &vec!["216.00".to_owned(); 50]).await;
    assert_eq!(answers.iter().filter(|answer| is_new(answer)).count(), 1);
    assert_eq!(answers.iter().filter(|answer| is_already_recorded(answer)).count(), 49);
    let stored = service.stored().await;
    assert_eq!(stored.len(), 1);
    assert!(answers.iter().all(|answer| answer["payment"]["id"] == json!(stored[0].id)), "all name one payment");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_50_simultaneous_amounts_for_one_appointment_one_stands(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[values(1, 2)] replicas: usize,
) {
    let Some(service) = running(backend).await else { return };
    let amounts: Vec<_> = (1..=50).map(|euros| format!("{euros}.00")).collect();
    let answers = race(&service, replicas, Uuid::new_v4(), &amounts).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().zip(&amounts).partition(|(answer, _)| is_new(answer));
    assert_eq!((won.len(), lost.len()), (1, 49));
    let (winner, amount) = won[0];
    assert_eq!(winner["payment"]["totalPrice"], **amount);
    for (answer, _) in lost {
        assert_eq!(refusal(answer)["payment"], winner["payment"]);
    }
    let stored = service.stored().await;
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].total_price_cents.to_string(), **amount, "the winner's amount is stored");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_record_the_same_list_in_opposite_order_answer_all_of_it(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let replica = start_service(&service.db);
    let list: Vec<Value> = (0..100).map(|_| input(Uuid::new_v4(), "200.00")).collect();
    let reversed: Vec<Value> = list.iter().rev().cloned().collect();
    let (one, other) = tokio::join!(record_all(service.client(), &list), record_all(&replica.client, &reversed));
    let results = |payload: &Value| payload["results"].as_array().cloned().expect("results");
    let (one, mut other) = (results(&one), results(&other));
    other.reverse();
    assert_eq!((one.len(), other.len()), (100, 100));
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one["payment"], other["payment"]);
        assert!(is_new(one) && is_already_recorded(other) || is_already_recorded(one) && is_new(other));
    }
    assert_eq!(service.stored().await.len(), 100);
}
