//! The cost of lists and of objects by their ids.

use rstest::rstest;
use serde_json::{Value, json};
use testkit::Backend;
use uuid::Uuid;

use crate::{FINISH, RECORD, assert_costs, cheapest, service::Service, started};

const LIST: &str = "{ consultations(last: 20) { edges { node { id status price } } pageInfo { hasPreviousPage } } }";
const LAST_ENDED: &str = "{ consultations(first: 20, orderBy: { field: END_DATE, direction: DESC }) {
    edges { node { id status price } } pageInfo { hasNextPage endCursor } } }";
const OF_A_DAY: &str = "{ consultations(
    filter: { startedFrom: \"2021-08-02T00:00\", startedUntil: \"2921-08-03T00:00\", status: IN_PROGRESS }, first: 20) {
    edges { node { id status price } } pageInfo { hasNextPage } } }";
const NODES: &str = "query ($input: [ID!]!) { nodes(ids: $input) { id ... on Consultation { status } } }";
const NODE: &str = "query ($input: ID!) { node(id: $input) { id ... on Consultation { status } } }";
const NEWEST_PAYMENTS: &str = "{ payments(first: 20, orderBy: { field: RECORDED_AT, direction: DESC }) {
    edges { node { id totalPrice recordedAt } } pageInfo { hasNextPage } } }";
const PAYMENT: &str = "query ($input: UUID) { payment(appointmentId: $input) { id totalPrice } }";

#[rstest]
#[case::sqlite(Backend::Sqlite, 817)]
#[case::postgres(Backend::Postgres, 842)]
fn a_page_costs_one_statement(#[case] backend: Backend, #[case] allocations: u64) {
    let Some(mut service) = Service::consultation(backend) else { return };
    for _ in 0..20 {
        started(&mut service);
    }
    assert_costs(&cheapest(&mut service, LIST, |_| Value::Null), &["SELECT"], allocations);
}

#[rstest]
#[case::sqlite(Backend::Sqlite, [842, 943])]
#[case::postgres(Backend::Postgres, [867, 943])]
fn a_page_in_another_order_costs_one_statement_too(#[case] backend: Backend, #[case] allocations: [u64; 2]) {
    let Some(mut service) = Service::consultation(backend) else { return };
    for _ in 0..20 {
        let id = started(&mut service);
        service.cost(FINISH, &json!({ "input": { "consultationId": id } }));
        started(&mut service);
    }
    for (list, allocations) in [LAST_ENDED, OF_A_DAY].into_iter().zip(allocations) {
        assert_costs(&cheapest(&mut service, list, |_| Value::Null), &["SELECT"], allocations);
    }
}

#[rstest]
#[case::sqlite(Backend::Sqlite, [183, 868])]
#[case::postgres(Backend::Postgres, [186, 868])]
fn objects_by_their_ids_cost_one_statement(#[case] backend: Backend, #[case] allocations: [u64; 2]) {
    let Some(mut service) = Service::consultation(backend) else { return };
    let ids: Vec<_> = (0..20).map(|_| started(&mut service)).collect();
    assert_costs(&cheapest(&mut service, NODE, |_| json!(ids[0])), &["SELECT"], allocations[0]);
    assert_costs(&cheapest(&mut service, NODES, |_| json!(ids)), &["SELECT"], allocations[1]);
}

#[rstest]
#[case::sqlite(Backend::Sqlite, [155, 610])]
#[case::postgres(Backend::Postgres, [158, 636])]
fn payments_newest_first_or_by_their_appointment_cost_one_statement(
    #[case] backend: Backend,
    #[case] allocations: [u64; 2],
) {
    let Some(mut service) = Service::finance(backend) else { return };
    let appointment = Uuid::new_v4();
    for id in (0..20).map(|_| Uuid::new_v4()).chain([appointment]) {
        service.cost(RECORD, &json!({ "input": { "appointmentId": id, "totalPrice": "216.00" } }));
    }
    assert_costs(&cheapest(&mut service, PAYMENT, |_| json!(appointment)), &["SELECT"], allocations[0]);
    assert_costs(&cheapest(&mut service, NEWEST_PAYMENTS, |_| Value::Null), &["SELECT"], allocations[1]);
}
