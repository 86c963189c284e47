//! How much one operation may ask for, and whether it may ask for the schema.

use chassis::config::Api;
use serde_json::{Value, json};
use testkit::Backend;
use uuid::Uuid;

use crate::{
    record_payments::RECORD_ALL,
    running::{input, running, start_under},
};

/// Everything there is about a page of payments.
const PAGE: &str = "payments(first: 100) {
    edges { cursor node { __typename id appointmentId totalPrice recordedAt } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }";

#[tokio::test]
async fn a_whole_page_may_be_asked_for_but_not_many_at_once() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let page = service.client().call(&format!("{{ {PAGE} }}"), json!({})).await;
    assert_eq!(page["payments"]["edges"], json!([]));
    let pages = (0..6).map(|n| format!("page{n}: {PAGE} ")).collect::<Vec<_>>().concat();
    let (code, message) = service.client().error(&format!("{{ {pages} }}"), json!({})).await;
    assert_eq!(code, "OPERATION_TOO_LARGE", "{message}");
}

#[tokio::test]
async fn payments_of_several_lists_count_together() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let payments =
        |count| json!({ "payments": (0..count).map(|_| input(Uuid::new_v4(), "1")).collect::<Vec<Value>>() });
    let start = RECORD_ALL.find("recordPayments").expect("a field");
    let field = RECORD_ALL[start..].trim_end().strip_suffix('}').expect("a document");
    let aliased = (0..4).map(|n| format!("list{n}: {field} ")).collect::<Vec<_>>().concat();
    let several = format!("mutation ($payments: [RecordPaymentInput!]!) {{ {aliased} }}");
    service.client().call(&several, payments(10)).await;
    let (code, message) = service.client().error(&several, payments(100)).await;
    assert_eq!(code, "OPERATION_TOO_LARGE", "{message}");
    assert_eq!(service.stored().await.len(), 10);
}

#[tokio::test]
async fn the_schema_may_be_hidden() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let hidden = start_under(&service.db, Api { introspection: false, ..Api::default() });
    let (code, message) = hidden.client.error("{ __schema { queryType { name } } }", json!({})).await;
    assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{message}");
    let (_, message) = hidden.client.error("{ paymentz { edges { cursor } } }", json!({})).await;
    assert!(message.contains("paymentz") && !message.contains("\"payments\""), "{message}");
    let sdl = hidden.client.get("/schema.graphql").basic_auth("admin", Some("teste123")).send().await;
    assert_eq!(sdl.expect("an answer").status(), 404);
    assert_eq!(hidden.client.call("{ __typename }", json!({})).await["__typename"], "Query");
}
