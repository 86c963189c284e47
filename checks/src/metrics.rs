//! The metrics of the services: documentation, rules, dashboards and `observability` are held to this list.

use std::{collections::BTreeSet, mem};

/// Metrics of both services. Histograms are named without their suffixes.
pub const BOTH: [&str; 20] = [
    "authentications_total",
    "build_info",
    "db_client_connection_count",
    "db_client_connection_max",
    "db_client_connection_pending_requests",
    "graphql_errors_total",
    "graphql_operation_duration_seconds",
    "graphql_operations_total",
    "graphql_subscriptions",
    "http_server_request_duration_seconds",
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_threads",
    "process_virtual_memory_bytes",
    "write_batch_duration_seconds",
    "write_batch_rows",
    "write_queue_jobs",
];

/// Metrics of consultation alone.
pub const CONSULTATION: [&str; 8] = [
    "http_client_request_duration_seconds",
    "outbox_breaker_open",
    "outbox_delivery_delay_seconds",
    "outbox_oldest_pending_age_seconds",
    "outbox_outcomes_total",
    "outbox_payments",
    "outbox_relay_last_round_timestamp_seconds",
    "outbox_requests_in_flight",
];

/// Metrics of a token issuer and of certificates: absent without the settings for them.
pub const CONFIGURED: [&str; 2] =
    ["jwks_last_success_timestamp_seconds", "tls_certificate_not_after_timestamp_seconds"];

/// Metrics of a read replica: absent without one.
pub const READ_REPLICA: [&str; 2] = ["read_replica_queries_total", "read_replica_staleness_seconds"];

/// Metrics in the textfile of `consultation reconcile`.
pub const TEXTFILE: [&str; 5] = [
    "reconcile_differences",
    "reconcile_overdue",
    "reconcile_settled",
    "reconcile_known",
    "reconcile_last_run_timestamp_seconds",
];

/// The metric of a series: a histogram has several names.
#[must_use]
pub fn metric(series: &str) -> &str {
    let is_known = |name: &str| BOTH.contains(&name) || CONSULTATION.contains(&name);
    let suffixes = ["_bucket", "_count", "_sum"].into_iter();
    suffixes.filter_map(|suffix| series.strip_suffix(suffix)).find(|name| is_known(name)).unwrap_or(series)
}

/// The metrics that a PromQL expression names.
#[must_use]
pub fn named_in(expression: &str) -> BTreeSet<String> {
    let (mut found, mut word) = (BTreeSet::new(), String::new());
    // In braces or brackets, and in the parentheses of `by` and the like.
    let (mut nesting, mut is_label_list) = (0, false);
    for letter in expression.chars().chain([' ']) {
        if letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':') {
            word.push(letter);
            continue;
        }
        let ended = mem::take(&mut word);
        is_label_list |= matches!(ended.as_str(), "by" | "on" | "without" | "ignoring");
        if nesting == 0 && !is_label_list && letter != '(' && is_name(&ended) {
            found.insert(ended);
        }
        match letter {
            '{' | '[' => nesting += 1,
            '}' | ']' => nesting -= 1,
            ')' => is_label_list = false,
            _ => {}
        }
    }
    found
}

/// Each metric has a name of several words, and no keyword or number has. `up` is Prometheus' own.
fn is_name(word: &str) -> bool {
    word == "up" || word.contains(['_', ':']) && !word.starts_with(|first: char| first.is_ascii_digit())
}
