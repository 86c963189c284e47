//! Reasons to refuse a request, and the responses.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use graphql_http::refusal::UNAVAILABLE;

use super::{queue::QUEUE_TIMEOUT, tokens::Defect};
use crate::messages::MESSAGES;

/// Seconds until a token may be checked again. The keys of its issuer may be there then.
const KEYS_RETRY_AFTER: u64 = 5;

/// Reason to refuse a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Wrong or no credentials.
    Unauthenticated,
    /// A token that is not accepted.
    BadToken(Defect),
    /// A token where no issuer is set.
    TokensOff,
    /// A password where only tokens are accepted.
    PasswordsOff,
    /// Too many logins failed. The credentials were not checked.
    Throttled {
        /// Time until another login is checked.
        wait: Duration,
    },
    /// Too many logins are being checked.
    Overloaded,
    /// The keys of the issuer were not fetched yet.
    NoKeys,
}

/// The schemes that a service accepts, and its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schemes {
    pub(super) realm: &'static str,
    pub(super) basic: bool,
    pub(super) bearer: bool,
}

impl Denied {
    /// For metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unauthenticated | Self::BadToken(_) | Self::TokensOff | Self::PasswordsOff => "refused",
            Self::Throttled { .. } => "throttled",
            Self::Overloaded => "overloaded",
            Self::NoKeys => "no_keys",
        }
    }

    pub(super) fn respond(self, schemes: Schemes) -> Response {
        let (status, code, headers) = match self {
            Self::Unauthenticated | Self::BadToken(_) | Self::TokensOff | Self::PasswordsOff => {
                (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", self.challenges(schemes))
            }
            Self::Throttled { wait } => {
                (StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_FAILED_LOGINS", vec![retry_after(seconds(wait))])
            }
            Self::Overloaded => {
                (StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", vec![retry_after(seconds(QUEUE_TIMEOUT))])
            }
            Self::NoKeys => (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE, vec![retry_after(KEYS_RETRY_AFTER)]),
        };
        let message = self.message(schemes);
        let body = serde_json::json!({ "errors": [{ "message": message, "extensions": { "code": code } }] });
        let mut response = (status, Json(body)).into_response();
        for (name, value) in headers {
            response.headers_mut().append(name, value);
        }
        response
    }

    fn message(self, schemes: Schemes) -> String {
        match self {
            Self::Unauthenticated => match (schemes.basic, schemes.bearer) {
                (true, true) => MESSAGES.text("login-required", &[]),
                (false, true) => MESSAGES.text("token-required", &[]),
                (_, false) => MESSAGES.text("credentials-required", &[]),
            },
            Self::BadToken(Defect::Expired) => MESSAGES.text("token-expired", &[]),
            Self::BadToken(Defect::Audience) => MESSAGES.text("token-audience", &[]),
            Self::BadToken(defect) => MESSAGES.text("token-refused", &[("reason", &defect)]),
            Self::TokensOff => MESSAGES.text("tokens-off", &[]),
            Self::PasswordsOff => MESSAGES.text("passwords-off", &[]),
            Self::Throttled { wait } => MESSAGES.text("too-many-failed-logins", &[("seconds", &seconds(wait))]),
            Self::Overloaded => MESSAGES.text("too-many-logins", &[]),
            Self::NoKeys => MESSAGES.text("keys-unavailable", &[]),
        }
    }

    /// One for each scheme. That of a refused token says why (RFC 6750).
    fn challenges(self, Schemes { realm, basic, bearer }: Schemes) -> Vec<(HeaderName, HeaderValue)> {
        let basic = basic.then(|| format!("Basic realm=\"{realm}\", charset=\"UTF-8\""));
        let bearer = bearer.then(|| match self {
            Self::BadToken(defect) => {
                format!("Bearer realm=\"{realm}\", error=\"invalid_token\", error_description=\"{defect}\"")
            }
            _ => format!("Bearer realm=\"{realm}\""),
        });
        let challenges = basic.into_iter().chain(bearer);
        challenges
            .map(|challenge| (header::WWW_AUTHENTICATE, challenge.parse().expect("plain text without quotes")))
            .collect()
    }
}

fn retry_after(seconds: u64) -> (HeaderName, HeaderValue) {
    (header::RETRY_AFTER, seconds.into())
}

/// Rounded up: a client that retries earlier would be refused again.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
