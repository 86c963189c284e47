//! Metrics of calls.

use std::time::Duration;

use chassis::metrics::{Metrics, durations};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, histogram::Histogram},
};
use reqwest::Response;

/// Metrics of the calls of finance.
#[derive(Clone, Debug)]
pub(super) struct Meter(Family<Call, Histogram, fn() -> Histogram>);

/// One of the two is empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    http_response_status_code: String,
    error_type: &'static str,
}

/// Metrics that nobody reads.
impl Default for Meter {
    fn default() -> Self {
        Self(Family::new_with_constructor(durations))
    }
}

impl Meter {
    /// Adds the metrics.
    pub(super) fn registered(metrics: &Metrics) -> Self {
        let help = "Time from a call of finance to the head of its response";
        Self(metrics.register("http_client_request_duration_seconds", help, Self::default().0))
    }

    pub(super) fn called(&self, sent: Result<&Response, &reqwest::Error>, took: Duration) {
        let (http_response_status_code, error_type) = match sent {
            Ok(response) => (response.status().as_u16().to_string(), ""),
            Err(error) if error.is_timeout() => (String::new(), "timeout"),
            Err(error) if error.is_connect() => (String::new(), "connect"),
            Err(_) => (String::new(), "other"),
        };
        self.0.get_or_create(&Call { http_response_status_code, error_type }).observe(took.as_secs_f64());
    }
}
