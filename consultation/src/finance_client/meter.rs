//! Metrics of calls.

use std::time::Duration;

use chassis::metrics::{Metrics, durations};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, histogram::Histogram},
};
use reqwest::StatusCode;

use super::Unread;

/// Metrics of the calls of finance.
#[derive(Clone, Debug)]
pub(super) struct Meter(Family<Call, Histogram, fn() -> Histogram>);

/// The status of a response, and what was wrong with it or in its stead. Either may be empty.
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
        let help = "Time from a call of finance to the end of its response";
        Self(metrics.register("http_client_request_duration_seconds", help, Self::default().0))
    }

    pub(super) fn called(&self, status: Option<StatusCode>, failure: Option<&Unread>, took: Duration) {
        let http_response_status_code = status.map_or_else(String::new, |status| status.as_u16().to_string());
        let error_type = match failure {
            None | Some(Unread::Status(_)) => "",
            Some(Unread::Transport(error)) if error.is_timeout() => "timeout",
            Some(Unread::Transport(error)) if error.is_connect() => "connect",
            Some(Unread::Transport(_)) => "other",
            Some(Unread::Invalid(_)) => "invalid",
        };
        self.0.get_or_create(&Call { http_response_status_code, error_type }).observe(took.as_secs_f64());
    }
}
