//! Objects by their ids.

use rstest::rstest;
use serde_json::{Value, json};
use testkit::Backend;
use uuid::Uuid;

use crate::running::{running, start_service};

const NODES: &str = "query ($ids: [ID!]!) { nodes(ids: $ids) {
    __typename id ... on Consultation { price } ... on PendingPayment { totalPrice consultation { id } } } }";

#[rstest]
#[tokio::test]
async fn nodes_come_in_the_order_of_their_ids_and_in_one_statement_a_table(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(mut service) = running(backend).await else { return };
    let (first, _) = service.started().await;
    let (second, _) = service.started().await;
    service.finish(&second, None).await;
    let payment = service.pending_payments().await[0].id;
    let statements = service.db.record_statements();
    let replica = start_service(&service.db);
    let read = async |ids: &Value| {
        statements.lock().expect("no panic").clear();
        let nodes = replica.client.call(NODES, json!({ "ids": ids })).await["nodes"].take();
        let statements = statements.lock().expect("no panic").clone();
        let count = |table: &str| {
            statements.iter().filter(|sql| sql.starts_with(&format!("SELECT \"{table}\".\"id\""))).count()
        };
        (nodes, (count("consultation"), count("pending_payment")))
    };

    let wanted = [
        json!({ "__typename": "Consultation", "id": second, "price": "200.00" }),
        Value::Null,
        json!({ "__typename": "PendingPayment", "id": payment, "totalPrice": "200.00", "consultation": { "id": second } }),
        json!({ "__typename": "Consultation", "id": first, "price": null }),
        json!({ "__typename": "Consultation", "id": second, "price": "200.00" }),
    ];
    let (nodes, counts) = read(&json!([second, Uuid::new_v4(), payment, first, second])).await;
    assert_eq!((nodes, counts), (json!(wanted), (2, 1)), "the consultation of the payment is read once more");
    assert_eq!(read(&json!([first, second])).await.1, (1, 0), "where all are consultations");
    assert_eq!(read(&json!([])).await, (json!([]), (0, 0)));
}

#[rstest]
#[tokio::test]
async fn a_pending_payment_is_a_node(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let (id, _) = service.started().await;
    service.finish(&id, None).await;
    let query = "query ($id: ID!) { consultation(id: $id) { pendingPayment { id } } }";
    let payment =
        service.client().call(query, json!({ "id": id })).await["consultation"]["pendingPayment"]["id"].take();
    let query = "query ($id: ID!) { node(id: $id) { __typename id ... on PendingPayment { consultation { id } } } }";
    let node = service.client().call(query, json!({ "id": payment })).await["node"].take();
    assert_eq!(node, json!({ "__typename": "PendingPayment", "id": payment, "consultation": { "id": id } }));
}

#[tokio::test]
async fn nodes_are_bounded_and_count_by_their_number() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let ids = |count| json!({ "ids": vec![Uuid::nil(); count] });
    let refused = service.client().error(NODES, ids(101)).await;
    assert_eq!(refused, ("BAD_USER_INPUT".to_owned(), "ids: want at most 100, not 101".to_owned()));
    let refused = service.client().error(NODES, json!({ "ids": ["nonsense"] })).await;
    assert_eq!(refused, ("BAD_USER_INPUT".to_owned(), "ids: want a UUID".to_owned()));
    let fields = "id physicianId patientId status startDate endDate price ".repeat(8);
    let many = format!("query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Consultation {{ {fields} }} }} }}");
    service.client().call(&many, ids(80)).await;
    assert_eq!(service.client().error(&many, ids(100)).await.0, "OPERATION_TOO_LARGE");
}
