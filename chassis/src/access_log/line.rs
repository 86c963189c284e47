//! One line of the access log.

use std::{net::IpAddr, time::Duration};

use axum::http::StatusCode;
use serde::Serialize;

use crate::{graphql::OVERLOADED, json_lines};

/// The outcome of what is left out below the shortest duration.
pub(super) const OK: &str = "ok";

/// A line. What a request does not have is left out.
#[derive(Debug, Default, Serialize)]
pub(super) struct Line<'a> {
    pub(super) time: String,
    /// Tells it from lines of the log where a collector has both.
    pub(super) target: &'static str,
    pub(super) service: &'static str,
    pub(super) request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) method: Option<&'static str>,
    /// Of the router; a path that it does not have is `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) route: Option<&'a str>,
    /// Of an operation that had no request of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transport: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) operation: Option<&'static str>,
    /// The root field of the schema, or `several`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) field: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    pub(super) outcome: &'static str,
    /// The code of the first error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<&'a str>,
    pub(super) duration_ms: f64,
    /// Of the response's body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bytes: Option<u64>,
}

impl Line<'_> {
    pub(super) fn ended(self, service: &'static str, duration: Duration) -> Self {
        let duration_ms = (duration.as_secs_f64() * 1e6).round() / 1e3;
        Self { time: json_lines::now(), target: "access", service, duration_ms, ..self }
    }
}

/// The outcome of a request that no operation concludes, in the same words. Without a status the client went away before
/// it was answered. `code` is that of the response's first error, whatever the status.
pub(super) fn outcome_of(status: Option<StatusCode>, code: Option<&str>) -> &'static str {
    let Some(status) = status else { return "disconnected" };
    match status.as_u16() {
        401 | 403 | 421 => "forbidden",
        408 => "timeout",
        429 => "overloaded",
        503 if code == Some(OVERLOADED) => "overloaded",
        503 => "unavailable",
        400..500 => "invalid",
        500.. => "fault",
        _ if code.is_some() => "invalid",
        _ => OK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_under_status_200_is_no_success() {
        for (status, code, outcome) in [
            (Some(StatusCode::OK), None, "ok"),
            (Some(StatusCode::SWITCHING_PROTOCOLS), None, "ok"),
            (Some(StatusCode::OK), Some("BAD_REQUEST"), "invalid"),
            (Some(StatusCode::UNAUTHORIZED), None, "forbidden"),
            (Some(StatusCode::TOO_MANY_REQUESTS), None, "overloaded"),
            (Some(StatusCode::SERVICE_UNAVAILABLE), Some("OVERLOADED"), "overloaded"),
            (Some(StatusCode::SERVICE_UNAVAILABLE), Some("UNAVAILABLE"), "unavailable"),
            (Some(StatusCode::NOT_FOUND), None, "invalid"),
            (Some(StatusCode::INTERNAL_SERVER_ERROR), None, "fault"),
            (None, None, "disconnected"),
        ] {
            assert_eq!(outcome_of(status, code), outcome, "{status:?}");
        }
    }
}
