//! Reading: by id, lists, filters, pages.

use futures_util::{StreamExt, stream};
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Backend, GraphqlClient};
use uuid::Uuid;

use crate::running::running;

const PAGE: &str = "query ($filter: ConsultationFilter, $orderBy: ConsultationOrder, $first: Int, $after: String, $last: Int, $before: String) {
    consultations(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
        edges { cursor node { id status pendingPayment { status consultation { id } } } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

async fn page(client: &GraphqlClient, variables: Value) -> (Vec<String>, Value) {
    let list = client.call(PAGE, variables).await["consultations"].take();
    let edges = list["edges"].as_array().expect("edges");
    (
        edges.iter().map(|edge| edge["node"]["id"].as_str().expect("an id").to_owned()).collect(),
        list["pageInfo"].clone(),
    )
}

#[rstest]
#[tokio::test]
async fn a_consultation_is_found_by_its_id(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let (id, _) = service.started().await;
    let query = "query ($id: ID!) { consultation(id: $id) { id status } node(id: $id) { __typename id } }";
    let found = service.client().call(query, json!({ "id": id })).await;
    assert_eq!(found["consultation"], json!({ "id": id, "status": "IN_PROGRESS" }));
    assert_eq!(found["node"], json!({ "__typename": "Consultation", "id": id }));
    let none = service.client().call(query, json!({ "id": Uuid::new_v4() })).await;
    assert_eq!(none, json!({ "consultation": null, "node": null }));
    assert_eq!(service.client().error(query, json!({ "id": "nonsense" })).await.0, "BAD_USER_INPUT");
}

#[tokio::test]
async fn an_error_nulls_its_own_field_and_not_those_beside_it() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let query = "{ __typename consultation(id: \"nonsense\") { id } node(id: \"nonsense\") { id } }";
    let answer = service.client().send(query, json!({})).await;
    assert_eq!(answer.body["data"], json!({ "__typename": "Query", "consultation": null, "node": null }));
    assert_eq!(answer.body["errors"].as_array().map(Vec::len), Some(2));
}

#[rstest]
#[tokio::test]
async fn pages_forward_and_backward_give_every_consultation_once_in_order(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let started: Vec<_> = stream::iter(0..25).then(|_| service.started()).map(|(id, _)| id).collect().await;
    let mut sorted = started.clone();
    sorted.sort_unstable();
    let client = service.client();

    let (first, info) = page(client, json!({ "first": 10 })).await;
    assert_eq!(
        (first.as_slice(), &info["hasNextPage"], &info["hasPreviousPage"]),
        (&sorted[..10], &json!(true), &json!(false))
    );
    let (second, info) = page(client, json!({ "first": 10, "after": info["endCursor"] })).await;
    let (third, info) = page(client, json!({ "first": 10, "after": info["endCursor"] })).await;
    assert_eq!((second.as_slice(), third.as_slice()), (&sorted[10..20], &sorted[20..]));
    assert_eq!((&info["hasNextPage"], &info["hasPreviousPage"]), (&json!(false), &json!(true)));
    let (back, info) = page(client, json!({ "last": 10, "before": info["startCursor"] })).await;
    assert_eq!((back.as_slice(), &info["hasPreviousPage"]), (&sorted[10..20], &json!(true)));

    sorted.reverse();
    let newest_first = json!({ "field": "START_DATE", "direction": "DESC" });
    let (newest, info) = page(client, json!({ "first": 5, "orderBy": newest_first })).await;
    let (next, _) = page(client, json!({ "first": 5, "orderBy": newest_first, "after": info["endCursor"] })).await;
    assert_eq!((newest.as_slice(), next.as_slice()), (&sorted[..5], &sorted[5..10]));
    assert_eq!(page(client, json!({})).await.0.len(), 20, "by default");
}

#[rstest]
#[tokio::test]
async fn lists_are_filtered_and_show_pending_payments(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let (open, _) = service.started().await;
    let (finished, _) = service.started().await;
    service.finish(&finished, None).await;
    let client = service.client();
    for (status, id) in [("IN_PROGRESS", &open), ("FINISHED", &finished)] {
        assert_eq!(page(client, json!({ "filter": { "status": status } })).await.0, std::slice::from_ref(id));
    }
    let stranger = json!({ "filter": { "patientId": Uuid::new_v4() } });
    assert_eq!(page(client, stranger).await.0.len(), 0);

    let query =
        "{ pendingPayments { edges { node { totalPrice consultation { id pendingPayment { totalPrice } } } } } }";
    let pending = client.call(query, json!({})).await;
    assert_eq!(pending["pendingPayments"]["edges"][0]["node"]["consultation"]["id"], finished);
}

#[rstest]
#[case(json!({ "first": 0 }))]
#[case(json!({ "first": 101 }))]
#[case(json!({ "last": -1 }))]
#[case(json!({ "first": 1, "last": 1 }))]
#[case(json!({ "after": "nonsense" }))]
#[tokio::test]
async fn a_page_that_makes_no_sense_is_refused(#[case] variables: Value) {
    let Some(service) = running(Backend::Sqlite).await else { return };
    assert_eq!(service.client().error(PAGE, variables).await.0, "BAD_USER_INPUT");
}

#[rstest]
#[tokio::test]
async fn only_a_pending_payment_can_be_retried(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let retry = "mutation ($id: ID!) { retryPendingPayment(input: { consultationId: $id }) {
        pendingPayment { totalPrice } userErrors { ... on UserError { code } } } }";
    let (id, _) = service.started().await;
    let refused = service.client().call(retry, json!({ "id": id })).await;
    assert_eq!(refused["retryPendingPayment"]["userErrors"], json!([{ "code": "NO_PENDING_PAYMENT" }]));
    service.finish(&id, None).await;
    let retried = service.client().call(retry, json!({ "id": id })).await;
    assert_eq!(retried["retryPendingPayment"]["pendingPayment"]["totalPrice"], "200.00");
}
