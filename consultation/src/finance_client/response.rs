//! What is read of finance's response, and what was wrong with it.

use std::time::Duration;

use chassis::http_client::{self, BodyError};
use cynic::GraphQlResponse;
use reqwest::{Response, StatusCode, header::RETRY_AFTER};
use serde::de::DeserializeOwned;

use super::DestinationFailed;

/// Bytes in a response. A response for 100 payments is under 32 kB; a longer one is not from finance.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// Bounds of Retry-After: less would be no pause, more would be a mistake of finance.
const MIN_RETRY_AFTER: Duration = Duration::from_secs(1);
const MAX_RETRY_AFTER: Duration = Duration::from_mins(1);

/// Reads a response in bounded memory.
pub(super) async fn read<T: DeserializeOwned>(response: Response) -> Result<GraphQlResponse<T>, Unread> {
    if response.status() != StatusCode::OK {
        return Err(Unread::Status(refused_status(&response)));
    }
    let body = http_client::read_body(response, MAX_RESPONSE_BYTES).await.map_err(|error| match error {
        BodyError::TooLarge { limit } => Unread::Invalid(format!("finance's answer is over {} kB", limit / 1024)),
        BodyError::Broken(error) => Unread::Transport(error),
    })?;
    serde_json::from_slice(&body).map_err(|error| Unread::Invalid(format!("not an answer of finance: {error}")))
}

/// A call without a valid response.
pub(super) enum Unread {
    Transport(reqwest::Error),
    Status(DestinationFailed),
    Invalid(String),
}

impl From<Unread> for DestinationFailed {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Transport(error) => transport_failure(error),
            Unread::Status(failed) => failed,
            Unread::Invalid(message) => Self::new(message),
        }
    }
}

/// Explains a status other than 200, with advice.
fn refused_status(response: &Response) -> DestinationFailed {
    let status = response.status();
    let advice = match status {
        StatusCode::UNAUTHORIZED => "check the user name and password for finance, or the token file",
        // Finance answers so to a document that it does not trust, or to a user without the role.
        StatusCode::FORBIDDEN => {
            "check that finance trusts consultation's documents, that its user for finance has the role service, and that \
             it has a client certificate if finance wants one"
        }
        // Finance answers so to a field that it does not know.
        StatusCode::BAD_REQUEST => "check that finance is not older than consultation",
        StatusCode::NOT_FOUND => "check the URL of finance",
        _ => {
            let retry_after = retry_after(response);
            return DestinationFailed { retry_after, ..DestinationFailed::new(format!("finance answered {status}")) };
        }
    };
    DestinationFailed::misconfigured(format!("finance answered {status}: {advice}"))
}

/// Only a number of seconds: a date would be read with a clock that may differ from finance's.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).clamp(MIN_RETRY_AFTER, MAX_RETRY_AFTER))
}

/// Joins the causes of a failed call, outermost first. The URL is left out: it stands in the settings.
fn transport_failure(error: reqwest::Error) -> DestinationFailed {
    let error = error.without_url();
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |cause| cause.source());
    DestinationFailed::new(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}
