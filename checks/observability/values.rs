//! Each metric by its value, after calls of known number.

use std::{collections::BTreeSet, time::Duration};

use anyhow::ensure;
use checks::metrics::{BOTH, CONFIGURED, CONSULTATION, metric, named_in};

use crate::{
    Backend,
    load::{FINISHES, INVALID, WRONG_PASSWORDS},
    monitor::Monitor,
    stack::{CONNECTIONS, VALID_UNTIL},
};

/// Delivery, the count of the backlog each 5 s, and a scrape each 15 s.
const SETTLED_WITHIN: Duration = Duration::from_secs(30);

/// Compares all metrics with what was done. Returns what was checked.
pub(crate) async fn check(monitor: &Monitor, backend: Backend) -> anyhow::Result<String> {
    let checks: Vec<_> = [counted(), states(backend)].concat();
    for (expression, expected) in &checks {
        monitor.until(expression, |value| value == Some(*expected), SETTLED_WITHIN).await?;
    }
    let asserted: BTreeSet<_> = checks.iter().flat_map(|(expression, _)| named_in(expression)).collect();
    let asserted: BTreeSet<_> = asserted.iter().map(|name| metric(name)).collect();
    let expected: BTreeSet<_> = BOTH.into_iter().chain(CONSULTATION).chain(CONFIGURED).collect();
    let missing: Vec<_> = expected.difference(&asserted).collect();
    ensure!(missing.is_empty(), "no value is expected of {missing:?}");
    let published = monitor.names().await?;
    // Prometheus has series of its own: about scrapes, alerts, and recorded ones.
    let is_own =
        |name: &str| name == "up" || name.contains(':') || name.starts_with("scrape_") || name.starts_with("ALERTS");
    let unknown = published.iter().map(|name| metric(name)).filter(|name| !is_own(name) && !expected.contains(name));
    let unknown: BTreeSet<_> = unknown.collect();
    ensure!(unknown.is_empty(), "checks/src/metrics.rs does not list {unknown:?}");
    Ok(format!("{} metrics have the values of {FINISHES} consultations ({} queries)", expected.len(), checks.len()))
}

/// Counters and histograms.
fn counted() -> Vec<(String, f64)> {
    // A start and a finish each, and the subscription.
    let calls = 2 * FINISHES + 1;
    let ok = "outcome=\"ok\"";
    let requests = "http_server_request_duration_seconds_count{job=\"consultation\",http_route=\"/graphql\",\
                    http_request_method=\"POST\",http_response_status_code";
    let sent = "sum(http_client_request_duration_seconds_count{http_response_status_code=\"200\"})";
    let all = [
        (format!("{requests}=\"200\"}}"), calls),
        (format!("{requests}=\"400\"}}"), INVALID),
        // Who has no login makes no series of a route.
        (format!("{}=\"401\"}}", requests.replace("/graphql", "none").replace("POST", "")), WRONG_PASSWORDS),
        (format!("graphql_operations_total{{type=\"mutation\",field=\"startConsultation\",{ok}}}"), FINISHES),
        (format!("graphql_operations_total{{type=\"mutation\",field=\"finishConsultation\",{ok}}}"), FINISHES),
        ("graphql_operation_duration_seconds_count{field=\"finishConsultation\"}".to_owned(), FINISHES),
        ("graphql_errors_total{job=\"consultation\",code=\"GRAPHQL_VALIDATION_FAILED\"}".to_owned(), INVALID),
        ("authentications_total{job=\"consultation\",method=\"basic\",result=\"ok\"}".to_owned(), calls + INVALID),
        ("authentications_total{job=\"consultation\",method=\"basic\",result=\"refused\"}".to_owned(), WRONG_PASSWORDS),
        ("write_batch_rows_sum{writer=\"start\"}".to_owned(), FINISHES),
        ("write_batch_rows_sum{writer=\"finish\"}".to_owned(), FINISHES),
        ("write_batch_rows_sum{job=\"finance\",writer=\"record\"}".to_owned(), FINISHES),
        ("sum(write_batch_rows_count) - sum(write_batch_duration_seconds_count)".to_owned(), 0),
        ("outbox_outcomes_total{outcome=\"confirmed\"}".to_owned(), FINISHES),
        ("outbox_delivery_delay_seconds_count".to_owned(), FINISHES),
        ("outbox_delivery_delay_seconds_bucket{le=~\"60(.0)?\"}".to_owned(), FINISHES),
        // Whatever consultation sent, finance received.
        (format!("sum(graphql_operations_total{{job=\"finance\",{ok}}}) - {sent}"), 0),
        (format!("sum(authentications_total{{job=\"finance\",result=\"ok\"}}) - {sent}"), 0),
    ];
    all.map(|(expression, expected)| (expression, f64::from(expected))).into()
}

/// Gauges.
fn states(backend: Backend) -> Vec<(String, f64)> {
    let (pool, connections) = if backend == Backend::Sqlite { ("write", 1) } else { ("all", CONNECTIONS) };
    let is = |condition: &str| (format!("count({condition})"), 2);
    let all = [
        is("build_info{version!=\"\"}"),
        ("sum(graphql_subscriptions)".to_owned(), 1),
        ("sum(write_queue_jobs)".to_owned(), 0),
        ("sum(db_client_connection_pending_requests)".to_owned(), 0),
        (
            format!("db_client_connection_max{{job=\"consultation\",db_client_connection_pool_name=\"{pool}\"}}"),
            connections,
        ),
        is("sum by (job) (db_client_connection_count) > 0 and sum by (job) (db_client_connection_count) \
            <= sum by (job) (db_client_connection_max)"),
        ("jwks_last_success_timestamp_seconds{job=\"finance\"}".to_owned(), 0),
        ("year(tls_certificate_not_after_timestamp_seconds{certificate=\"client\"})".to_owned(), VALID_UNTIL.into()),
        ("sum(outbox_payments)".to_owned(), 0),
        ("count(outbox_payments)".to_owned(), 3),
        ("outbox_oldest_pending_age_seconds".to_owned(), 0),
        ("outbox_breaker_open".to_owned(), 0),
        ("outbox_requests_in_flight".to_owned(), 0),
        ("count(time() - outbox_relay_last_round_timestamp_seconds < 30)".to_owned(), 1),
        of_process("process_cpu_seconds_total", "> 0"),
        of_process("process_resident_memory_bytes", "> 1e6 < process_virtual_memory_bytes"),
        of_process("process_threads", "> 1"),
        of_process("process_open_fds", "> 3 < process_max_fds"),
        of_process("process_start_time_seconds", "> time() - 300"),
    ];
    all.map(|(expression, expected)| (expression, f64::from(expected))).into()
}

/// Both services have the metric in this range. node_exporter has it too.
fn of_process(metric: &str, range: &str) -> (String, u32) {
    (format!("count({metric}{{job=~\"consultation|finance\"}} {range})"), 2)
}
