//! Requests by their route.

use std::time::Duration;

use axum::{
    extract::MatchedPath,
    http::{Method, StatusCode},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, histogram::Histogram},
    registry::Registry,
};
use tokio::time::Instant;

use super::{durations, labels::Labels};

/// nginx's status of a request whose client hung up before the response.
const CLIENT_CLOSED_REQUEST: u16 = 499;
/// Statuses of requests that the gate refused, or that ended early. Anyone could make series of all routes and methods with
/// them, without a login.
const UNROUTED: [u16; 6] = [401, 403, 405, 421, 429, CLIENT_CLOSED_REQUEST];

/// Metrics of requests.
#[derive(Clone, Debug)]
pub(crate) struct HttpMeter(Family<Labels<Request>, Histogram, fn() -> Histogram>);

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

    /// A request that begins. `route` is that of the router.
    pub(crate) fn request(&self, method: &Method, route: Option<MatchedPath>) -> Measuring {
        Measuring { meter: self.clone(), method: known_method(method), route, began: Instant::now(), status: None }
    }

    fn add(&self, method: &'static str, route: Option<&str>, status: Option<StatusCode>, took: Duration) {
        let status = status.map_or(CLIENT_CLOSED_REQUEST, |status| status.as_u16());
        let route = route.filter(|_| method != "OPTIONS" && !UNROUTED.contains(&status));
        let (http_request_method, http_route) = route.map_or(("", "none"), |route| (method, route));
        // `/graphql/` is `/graphql`.
        let http_route = http_route.trim_end_matches('/').to_owned();
        let request = Request { http_request_method, http_route, http_response_status_code: status };
        self.0.get_or_create(&Labels(request)).observe(took.as_secs_f64());
    }
}

/// A request that is measured when it is dropped.
pub(crate) struct Measuring {
    meter: HttpMeter,
    method: &'static str,
    route: Option<MatchedPath>,
    began: Instant,
    status: Option<StatusCode>,
}

impl Measuring {
    pub(crate) fn answered(mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for Measuring {
    fn drop(&mut self) {
        let route = self.route.as_ref().map(MatchedPath::as_str);
        self.meter.add(self.method, route, self.status, self.began.elapsed());
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
