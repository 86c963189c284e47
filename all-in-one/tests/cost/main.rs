//! The cost of a request, in numbers that are the same on every machine: the statements that it sends to the database,
//! and the allocations of the thread that answers it. A change that makes a request more expensive fails here. One that
//! makes it cheaper lowers the bound.
//!
//! A test binary of its own, since it counts with an allocator of its own.

mod documents;
mod lists;
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
#[case::sqlite(Backend::Sqlite, "INSERT", 219)]
#[case::postgres(Backend::Postgres, "WITH", 206)]
fn starting_a_consultation_costs_one_statement(
    #[case] backend: Backend,
    #[case] statement: &str,
    #[case] allocations: u64,
) {
    let Some(mut service) = Service::consultation(backend) else { return };
    assert_costs(&cheapest(&mut service, START, |_| people()), &[statement], allocations);
}

#[rstest]
#[case::sqlite(Backend::Sqlite, "INSERT", 245)]
#[case::postgres(Backend::Postgres, "WITH", 238)]
fn a_start_that_is_entered_late_reads_the_clock_first(
    #[case] backend: Backend,
    #[case] statement: &str,
    #[case] allocations: u64,
) {
    let Some(mut service) = Service::consultation(backend) else { return };
    let start_date = (chassis::clock::now() - Duration::from_hours(1)).to_rfc3339();
    let input = |_: &mut Service| {
        let mut people = people();
        people["startDate"] = start_date.clone().into();
        people
    };
    assert_costs(&cheapest(&mut service, START, input), &["SELECT", statement], allocations);
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
#[case::sqlite(Backend::Sqlite, "INSERT")]
#[case::postgres(Backend::Postgres, "WITH")]
fn an_event_costs_one_statement_however_many_follow_the_list(#[case] backend: Backend, #[case] start: &str) {
    const FOLLOW: &str = "subscription { consultationsChanged { id status price } }";
    let Some(mut service) = Service::consultation(backend) else { return };
    let mut subscribers = service.subscribers(50, FOLLOW);
    let events = (0..MEASURED).map(|_| service.event(&mut subscribers, START, &json!({ "input": people() })));
    // The cheapest, as of requests: their reads join within a millisecond, which a busy machine may split.
    let statements = events.min_by_key(Vec::len).expect("measured");
    let begins: Vec<_> = statements.iter().filter_map(|sql| sql.split_whitespace().next()).collect();
    assert_eq!(begins, [start, "SELECT"], "{statements:#?}");
}
