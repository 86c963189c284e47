//! Finding one payment by its id.

use rstest::rstest;
use serde_json::json;
use testkit::Backend;
use uuid::Uuid;

use crate::{
    history::{noon_and, recorded_at},
    running::running,
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
