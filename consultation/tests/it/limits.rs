//! How much one operation may ask for, and whether it may ask for the schema.

use chassis::config::Api;
use rstest::rstest;
use serde_json::json;
use testkit::Backend;

use crate::running::{running, start_under};

/// Everything there is about a page of consultations.
const PAGE: &str = "consultations(first: 100) {
    edges { cursor node { ...Everything pendingPayment { ...Payment consultation { ...Everything } } } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }";
const FRAGMENTS: &str = "
    fragment Everything on Consultation { __typename id physicianId patientId status startDate endDate price }
    fragment Payment on PendingPayment {
        __typename status totalPrice tries nextAttemptAt lastError createdAt finishedAt }";

#[rstest]
#[tokio::test]
async fn a_whole_page_may_be_asked_for(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let (id, _) = service.started().await;
    service.finish(&id, None).await;
    let page = service.client().call(&format!("{{ {PAGE} }} {FRAGMENTS}"), json!({})).await;
    let node = &page["consultations"]["edges"][0]["node"];
    assert_eq!(node["pendingPayment"]["consultation"]["id"], id, "{page}");
}

#[rstest]
#[case::side_by_side(format!("{{ a: {PAGE} b: {PAGE} }} {FRAGMENTS}"))]
#[case::through_each_other("{ pendingPayments(last: 100) { edges { node {
    consultation { pendingPayment { consultation { pendingPayment { consultation {
        ...Everything pendingPayment { ...Payment consultation { ...Everything pendingPayment { ...Payment
            consultation { ...Everything pendingPayment { ...Payment } } } } } } } } } } } } } }".to_owned() + FRAGMENTS)]
#[tokio::test]
async fn several_pages_of_everything_are_refused(#[case] document: String) {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let answer = service.client().send(&document, json!({})).await;
    assert_eq!((answer.status, answer.code()), (400, "OPERATION_TOO_LARGE"), "{}", answer.body);
    let message = answer.body["errors"][0]["message"].as_str().expect("a message");
    assert!(message.contains("5000 values") && message.contains("smaller pages"), "{message}");
}

#[tokio::test]
async fn the_schema_may_be_hidden() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let hidden = start_under(&service.db, Api { introspection: false, ..Api::default() });
    let (code, message) = hidden.client.error("{ __type(name: \"Query\") { name } }", json!({})).await;
    assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{message}");
    let (_, message) = hidden.client.error("{ consultatio { id } }", json!({})).await;
    assert!(message.contains("consultatio") && !message.contains("\"consultation\""), "{message}");
    let sdl = hidden.client.get("/schema.graphql").basic_auth("admin", Some("teste123")).send().await;
    assert_eq!(sdl.expect("an answer").status(), 404);
    assert_eq!(hidden.client.call("{ __typename }", json!({})).await["__typename"], "Query");
}
