//! Finding payments by their ids, and one by its appointment.

use rstest::rstest;
use serde_json::json;
use testkit::Backend;
use uuid::Uuid;

use crate::{
    history::{noon_and, recorded_at},
    running::{running, start_service},
};

const BY_ID: &str = "query ($id: ID!) {
    payment(id: $id) { id appointmentId totalPrice recordedAt }
    node(id: $id) { __typename id ... on Payment { totalPrice } } }";

#[rstest]
#[tokio::test]
async fn a_payment_is_found_by_its_id(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let stored = recorded_at(&service.db, noon_and(0)).await;
    recorded_at(&service.db, noon_and(1)).await;
    let found = service.client().call(BY_ID, json!({ "id": stored.id })).await;
    let payment = json!({ "id": stored.id, "appointmentId": stored.appointment_id, "totalPrice": "999999999.99",
        "recordedAt": "2021-08-02T15:00:00.123Z" });
    assert_eq!(found["payment"], payment);
    assert_eq!(found["node"], json!({ "__typename": "Payment", "id": stored.id, "totalPrice": "999999999.99" }));

    for unknown in [Uuid::new_v4(), Uuid::nil(), stored.appointment_id] {
        let none = service.client().call(BY_ID, json!({ "id": unknown })).await;
        assert_eq!(none, json!({ "payment": null, "node": null }), "{unknown}");
    }
}

#[rstest]
#[tokio::test]
async fn a_malformed_id_is_refused_by_name(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let queries = ["query ($id: ID!) { payment(id: $id) { id } }", "query ($id: ID!) { node(id: $id) { id } }"];
    for query in queries {
        for id in ["", "nonsense", "1", "' OR 1=1 --"] {
            let (code, message) = service.client().error(query, json!({ "id": id })).await;
            assert_eq!((code.as_str(), message.as_str()), ("BAD_USER_INPUT", "id: want a UUID"), "{id}");
        }
    }
}

const BY_EITHER: &str =
    "query ($id: ID, $appointmentId: UUID) { payment(id: $id, appointmentId: $appointmentId) { id } }";

#[rstest]
#[tokio::test]
async fn a_payment_is_found_by_its_appointment(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let stored = recorded_at(&service.db, noon_and(0)).await;
    recorded_at(&service.db, noon_and(1)).await;
    let found = service.client().call(BY_EITHER, json!({ "appointmentId": stored.appointment_id })).await;
    assert_eq!(found["payment"]["id"], json!(stored.id));
    let none = service.client().call(BY_EITHER, json!({ "appointmentId": stored.id })).await;
    assert_eq!(none, json!({ "payment": null }));
    let both = json!({ "id": stored.id, "appointmentId": stored.appointment_id });
    for arguments in [both, json!({}), json!({ "id": null, "appointmentId": null })] {
        let refused = service.client().error(BY_EITHER, arguments).await;
        assert_eq!(refused, ("BAD_USER_INPUT".to_owned(), "id, appointmentId: give one of them".to_owned()));
    }
}

#[rstest]
#[tokio::test]
async fn nodes_come_in_the_order_of_their_ids_and_in_one_statement(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(mut service) = running(backend).await else { return };
    let one = recorded_at(&service.db, noon_and(0)).await.id;
    let two = recorded_at(&service.db, noon_and(1)).await.id;
    let statements = service.db.record_statements();
    let replica = start_service(&service.db);
    let query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    let node = |id| json!({ "__typename": "Payment", "id": id });
    let nodes = replica.client.call(query, json!({ "ids": [two, Uuid::new_v4(), one, two] })).await["nodes"].take();
    assert_eq!(nodes, json!([node(two), null, node(one), node(two)]));
    let statements = statements.lock().expect("no panic").clone();
    let reads = statements.iter().filter(|sql| sql.starts_with("SELECT \"payment\".\"id\"")).count();
    assert_eq!(reads, 1, "{statements:#?}");
    let (code, message) = replica.client.error(query, json!({ "ids": vec![one; 101] })).await;
    assert_eq!((code.as_str(), message.as_str()), ("BAD_USER_INPUT", "ids: want at most 100, not 101"));
}
