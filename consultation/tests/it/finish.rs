//! Finishing consultations: end, price and pending payment at once, or nothing.

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use testkit::Backend;
use uuid::Uuid;

use crate::running::{finish, refusal, running, running_without_longest, start_service};

#[rstest]
#[tokio::test]
async fn a_finish_stores_end_price_and_pending_payment(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let (id, _) = service.started().await;
    let finished = service.finish(&id, None).await;
    assert_eq!(finished["userErrors"], json!([]));
    assert_eq!(finished["consultation"]["status"], "FINISHED");
    assert_eq!(finished["consultation"]["price"], "200.00");
    assert!(finished["consultation"]["endDate"].is_string());
    assert_eq!(finished["consultation"]["pendingPayment"]["totalPrice"], "200.00");

    let rows = service.pending_payments().await;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].appointment_id.to_string(), rows[0].total_price_cents.cents()), (id, 20_000));
}

#[rstest]
#[tokio::test]
async fn a_second_finish_is_refused_with_the_stored_consultation(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running_without_longest(backend).await else { return };
    let (id, _) = service.started().await;
    let first = service.finish(&id, Some("2126-01-01T00:00:00Z")).await;
    let second = service.finish(&id, None).await;
    assert_eq!(refusal(&second), "CONSULTATION_ALREADY_FINISHED");
    assert_eq!(second["userErrors"][0]["consultation"]["price"], first["consultation"]["price"]);
    assert_eq!(service.pending_payments().await.len(), 1);
}

#[rstest]
#[tokio::test]
async fn an_unknown_or_malformed_consultation_is_refused(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    for (id, code) in [(Uuid::new_v4().to_string(), "CONSULTATION_NOT_FOUND"), ("nonsense".to_owned(), "INVALID_INPUT")]
    {
        let refused = service.finish(&id, None).await;
        assert_eq!(refusal(&refused), code);
        assert_eq!(refused["userErrors"][0]["field"], json!(["input", "consultationId"]));
    }
}

#[rstest]
#[tokio::test]
async fn of_50_simultaneous_finishes_on_two_replicas_one_wins(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let replica = start_service(&service.db);
    let (id, _) = service.started().await;
    let clients = (0..50).map(|number| if number % 2 == 0 { service.client() } else { &replica.client });
    let answers = join_all(clients.map(|client| finish(client, &id, None))).await;

    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| !answer["consultation"].is_null());
    assert_eq!((won.len(), lost.len()), (1, 49));
    assert!(lost.iter().all(|answer| refusal(answer) == "CONSULTATION_ALREADY_FINISHED"));
    assert_eq!(service.pending_payments().await.len(), 1);
}

#[rstest]
#[tokio::test]
async fn finishes_of_many_consultations_cost_each_other_nothing(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let replica = start_service(&service.db);
    let started = join_all((0..100).map(|_| service.started())).await;
    // Each on both replicas, and an unknown one between: batches overlap in different orders.
    let good = started.iter().flat_map(|(id, _)| [(service.client(), id.clone()), (&replica.client, id.clone())]);
    let unknown = (0..50).map(|_| (service.client(), Uuid::new_v4().to_string()));
    let answers = join_all(good.chain(unknown).map(async |(client, id)| finish(client, &id, None).await)).await;

    assert_eq!(answers.iter().filter(|answer| !answer["consultation"].is_null()).count(), 100);
    assert_eq!(service.pending_payments().await.len(), 100);
}
