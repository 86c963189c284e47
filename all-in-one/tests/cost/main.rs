//! The cost of a request, in numbers that are the same on every machine: the statements that it sends to the database,
//! and the allocations of the thread that answers it. A change that makes a request more expensive fails here. One that
//! makes it cheaper lowers the bound.
//!
//! A test binary of its own, since it counts with an allocator of its own.

mod service;

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use testkit::Backend;
use uuid::Uuid;

use service::{Cost, Service};

const START: &str = "mutation ($input: StartConsultationInput!) { startConsultation(input: $input) {
    consultation { id startDate status } userErrors { ... on UserError { code message } } } }";
const FINISH: &str = "mutation ($input: FinishConsultationInput!) { finishConsultation(input: $input) {
    consultation { price endDate status } userErrors { ... on UserError { code message } } } }";
const CANCEL: &str = "mutation ($input: CancelConsultationInput!) { cancelConsultation(input: $input) {
    consultation { endDate status } userErrors { ... on UserError { code message } } } }";
const RECORD: &str = "mutation ($input: RecordPaymentInput!) { recordPayment(input: $input) {
    payment { totalPrice recordedAt id } userErrors { ... on UserError { code message } } } }";
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

const WARM_UP: usize = 20;
const MEASURED: usize = 20;

/// The cheapest of several requests: the cost when nothing else happens at the same time.
fn cheapest(service: &mut Service, query: &str, mut input: impl FnMut(&mut Service) -> Value) -> Cost {
    let mut costs = Vec::new();
    for number in 0..WARM_UP + MEASURED {
        let variables = json!({ "input": input(service) });
        let (cost, answer) = service.cost(query, &variables);
        let payload = answer["data"].as_object().and_then(|data| data.values().next()).cloned().unwrap_or_default();
        assert!(answer["errors"].is_null() && payload["userErrors"].as_array().is_none_or(Vec::is_empty), "{answer}");
        if number >= WARM_UP {
            costs.push(cost);
        }
    }
    println!("{query}: {costs:?}");
    costs.into_iter().min_by_key(|cost| cost.allocations).expect("measured")
}

fn people() -> Value {
    json!({ "physicianId": Uuid::new_v4(), "patientId": Uuid::new_v4() })
}

fn started(service: &mut Service) -> String {
    let (_, answer) = service.cost(START, &json!({ "input": people() }));
    answer["data"]["startConsultation"]["consultation"]["id"].as_str().expect("started").to_owned()
}

/// Statements besides BEGIN and COMMIT, and the most allocations: about a twentieth more than there are.
#[track_caller]
fn assert_costs(cost: &Cost, statements: &[&str], allocations: u64) {
    let begins: Vec<_> = cost.statements.iter().map(|sql| sql.split_whitespace().next().unwrap_or_default()).collect();
    assert_eq!(begins, statements, "{:#?}", cost.statements);
    assert!(cost.allocations <= allocations, "{} allocations, at most {allocations}", cost.allocations);
}

#[rstest]
#[case::sqlite(Backend::Sqlite, 219)]
#[case::postgres(Backend::Postgres, 206)]
fn starting_a_consultation_costs_one_statement(#[case] backend: Backend, #[case] allocations: u64) {
    let Some(mut service) = Service::consultation(backend) else { return };
    assert_costs(&cheapest(&mut service, START, |_| people()), &["INSERT"], allocations);
}

#[rstest]
#[case::sqlite(Backend::Sqlite, 245)]
#[case::postgres(Backend::Postgres, 238)]
fn a_start_that_is_entered_late_reads_the_clock_first(#[case] backend: Backend, #[case] allocations: u64) {
    let Some(mut service) = Service::consultation(backend) else { return };
    let start_date = (chassis::clock::now() - Duration::from_hours(1)).to_rfc3339();
    let input = |_: &mut Service| {
        let mut people = people();
        people["startDate"] = start_date.clone().into();
        people
    };
    assert_costs(&cheapest(&mut service, START, input), &["SELECT", "INSERT"], allocations);
}

#[rstest]
#[case::sqlite(Backend::Sqlite, &["BEGIN", "SELECT", "UPDATE", "COMMIT"], 308)]
#[case::postgres(Backend::Postgres, &["WITH"], 183)]
fn a_cancellation_costs_one_statement_or_transaction(
    #[case] backend: Backend,
    #[case] statements: &[&str],
    #[case] allocations: u64,
) {
    let Some(mut service) = Service::consultation(backend) else { return };
    let input = |service: &mut Service| json!({ "consultationId": started(service), "reason": "a mistake" });
    assert_costs(&cheapest(&mut service, CANCEL, input), statements, allocations);
}

#[rstest]
#[case::sqlite(Backend::Sqlite, &["BEGIN", "SELECT", "UPDATE", "INSERT", "COMMIT"], 335)]
#[case::postgres(Backend::Postgres, &["SELECT", "WITH"], 265)]
fn finishing_a_consultation_costs_few_statements(
    #[case] backend: Backend,
    #[case] statements: &[&str],
    #[case] allocations: u64,
) {
    let Some(mut service) = Service::consultation(backend) else { return };
    let cost = cheapest(&mut service, FINISH, |service| json!({ "consultationId": started(service) }));
    assert_costs(&cost, statements, allocations);
}

#[rstest]
#[case::sqlite(Backend::Sqlite, 201)]
#[case::postgres(Backend::Postgres, 207)]
fn recording_a_payment_costs_one_statement(#[case] backend: Backend, #[case] allocations: u64) {
    let Some(mut service) = Service::finance(backend) else { return };
    let cost = cheapest(&mut service, RECORD, |_| json!({ "appointmentId": Uuid::new_v4(), "totalPrice": "216.00" }));
    assert_costs(&cost, &["INSERT"], allocations);
}

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

#[rstest]
fn an_event_costs_one_statement_however_many_follow_the_list(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    const FOLLOW: &str = "subscription { consultationsChanged { id status price } }";
    let Some(mut service) = Service::consultation(backend) else { return };
    let mut subscribers = service.subscribers(50, FOLLOW);
    for _ in 0..3 {
        let statements = service.event(&mut subscribers, START, &json!({ "input": people() }));
        let begins: Vec<_> = statements.iter().filter_map(|sql| sql.split_whitespace().next()).collect();
        assert_eq!(begins, ["INSERT", "SELECT"], "{statements:#?}");
    }
}

/// All fields of a payment, and those of its consultation repeatedly: some 500 fields in 5 kB.
fn fields(within: usize) -> String {
    let own = ["id", "appointmentId", "totalPrice", "__typename"].map(|name| format!("{name} ").repeat(20)).concat();
    if within == 0 {
        own
    } else {
        format!("{own}consultation {{ {} payment {{ {} }} }} ", "id ".repeat(15), fields(within - 1))
    }
}

#[test]
fn documents_take_no_more_memory_than_they_are_charged_for() {
    const CACHE: i64 = 8 * 1024 * 1024;
    let mut service = Service::finance(Backend::Sqlite).expect("no server is needed");
    let document = |n: usize| format!("query Q{n} {{ payments(first: 1) {{ edges {{ node {{ {} }} }} }} }}", fields(4));
    // The first documents also allocate what the service keeps once.
    service.keeps((0..2).map(document));
    let kept = service.keeps((2..152).map(document));
    println!("{kept} bytes kept of documents of {} bytes", document(0).len());
    assert!(kept > CACHE / 2, "none was remembered: {kept}");
    assert!(kept < CACHE + CACHE / 8, "{kept}");
}
