//! Reasons to refuse a request, and the responses.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::queue::QUEUE_TIMEOUT;
use crate::messages::MESSAGES;

/// Reason to refuse a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Wrong or no credentials.
    Unauthenticated,
    /// Too many logins failed. The credentials were not checked.
    Throttled {
        /// Time until another login is checked.
        wait: Duration,
    },
    /// Too many logins are being checked.
    Overloaded,
}

impl Denied {
    pub(super) fn respond(self, realm: &str) -> Response {
        let (status, code, message, header) = match self {
            Self::Unauthenticated => (
                StatusCode::UNAUTHORIZED,
                "UNAUTHENTICATED",
                MESSAGES.text("credentials-required", &[]),
                challenge(realm),
            ),
            Self::Throttled { wait } => (
                StatusCode::TOO_MANY_REQUESTS,
                "TOO_MANY_FAILED_LOGINS",
                MESSAGES.text("too-many-failed-logins", &[("seconds", &seconds(wait))]),
                (header::RETRY_AFTER, seconds(wait).into()),
            ),
            Self::Overloaded => (
                StatusCode::SERVICE_UNAVAILABLE,
                "OVERLOADED",
                MESSAGES.text("too-many-logins", &[]),
                (header::RETRY_AFTER, seconds(QUEUE_TIMEOUT).into()),
            ),
        };
        let body = serde_json::json!({ "errors": [{ "message": message, "extensions": { "code": code } }] });
        (status, [header], Json(body)).into_response()
    }
}

fn challenge(realm: &str) -> (HeaderName, HeaderValue) {
    let challenge = format!("Basic realm=\"{realm}\", charset=\"UTF-8\"");
    (header::WWW_AUTHENTICATE, challenge.parse().expect("a name of a service is plain text"))
}

/// Rounded up: a client that retries earlier would be refused again.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
