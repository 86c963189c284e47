//! Limits of one operation, and introspection.

use chassis::config::Api;
use rstest::rstest;
use serde_json::json;
use testkit::Backend;

use crate::running::{running, start_under};

/// All fields of a page of consultations.
const PAGE: &str = "consultations(first: 100) {
    edges { cursor node { ...Everything pendingPayment { ...Payment consultation { ...Everything } } } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }";
const FRAGMENTS: &str = "
    fragment Everything on Consultation { __typename id physicianId patientId status startDate endDate price currency }
    fragment Payment on PendingPayment {
        __typename status totalPrice currency tries nextAttemptAt lastError createdAt finishedAt }";

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

#[rstest]
#[case::plain("consultations(filter: { physicianId: \"00000000-0000-0000-0000-000000000000\" }) { totalCount }", "")]
#[case::by_an_alias("consultations(filter: { status: FINISHED }, first: 1) { n: totalCount }", "")]
#[case::by_a_variable("consultations(filter: $filter, first: 1) { totalCount }", "")]
#[case::by_a_fragment(
    "consultations(filter: $filter) { ...F }",
    "fragment F on ConsultationConnection { ... { totalCount } }"
)]
#[case::repeated(
    "consultations(filter: $filter) { totalCount ...F }",
    "fragment F on ConsultationConnection { edges { cursor } }"
)]
#[tokio::test]
async fn the_total_of_a_filtered_list_costs_what_reading_it_may(#[case] list: &str, #[case] fragment: &str) {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let variable = if list.contains("$filter") { "($filter: ConsultationFilter)" } else { "" };
    for (lists, is_refused) in [(10, false), (11, true)] {
        let lists = (0..lists).map(|n| format!("n{n}: {list} ")).collect::<Vec<_>>().concat();
        let answer = service.client().send(&format!("query {variable} {{ {lists} }} {fragment}"), json!({})).await;
        assert_eq!(answer.code() == "OPERATION_TOO_LARGE", is_refused, "{}", answer.body);
    }
}

#[tokio::test]
async fn the_total_of_a_whole_list_costs_no_more_than_other_fields() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let lists = (0..20).map(|n| format!("n{n}: consultations(first: 1, filter: null) {{ totalCount }} "));
    service.client().call(&format!("{{ {} }}", lists.collect::<Vec<_>>().concat()), json!({})).await;
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
