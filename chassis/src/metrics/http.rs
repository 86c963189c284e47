//! Requests by their route.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, histogram::Histogram},
    registry::Registry,
};

use super::durations;

/// Metrics of requests.
#[derive(Clone, Debug)]
pub(crate) struct HttpMeter(Family<Request, Histogram, fn() -> Histogram>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
#[expect(clippy::struct_field_names, reason = "the labels' names are OpenTelemetry's")]
struct Request {
    http_request_method: &'static str,
    http_route: String,
    http_response_status_code: u16,
}

impl HttpMeter {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let durations: Family<_, _, fn() -> Histogram> = Family::new_with_constructor(durations);
        registry.register(
            "http_server_request_duration_seconds",
            "Time from the head of a request to the head of its response",
            durations.clone(),
        );
        Self(durations)
    }

    /// Adds a request. `route` is that of the router; paths that it does not have are one.
    pub(crate) fn add(&self, method: &Method, route: Option<&str>, status: StatusCode, took: Duration) {
        let (http_route, http_request_method) = (route.unwrap_or("none").to_owned(), known_method(method));
        let request = Request { http_request_method, http_route, http_response_status_code: status.as_u16() };
        self.0.get_or_create(&request).observe(took.as_secs_f64());
    }
}

/// Clients may invent methods.
pub(crate) fn known_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "POST" => "POST",
        "PUT" => "PUT",
        _ => "_OTHER",
    }
}
