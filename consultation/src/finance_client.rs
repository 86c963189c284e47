//! The client of finance. Its documents are checked against finance's schema at compile time.

mod connector;
mod instance;
mod meter;
mod payments;
mod queries;
mod record;
#[cfg(test)]
mod tests;
mod token_file;

use std::{sync::Arc, time::Duration};

use chassis::{
    cli::wrong_setting,
    http_client::{self, BodyError},
    metrics::Metrics,
    traces::Span,
};
use cynic::{GraphQlResponse, Operation};
use entity::Money;
use reqwest::{
    Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER},
};
use secrecy::ExposeSecret;
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;
use uuid::Uuid;

use crate::config::{Credentials, FinanceTarget};
use connector::Connector;
use meter::Meter;
pub use payments::RecordedPayment;

/// Bytes in a response. A response for 100 payments is under 32 kB; a longer one is not from finance.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// Payments in one request, to record or to read.
pub const MAX_PAYMENTS: u64 = 100;
/// The longest duration of a call. It is no longer than the pause between two tries, so a call that hangs does not
/// delay the next.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Bounds of Retry-After: less would be no pause, more would be a mistake of finance.
const MIN_RETRY_AFTER: Duration = Duration::from_secs(1);
const MAX_RETRY_AFTER: Duration = Duration::from_mins(1);

/// A payment to record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Id of the finished consultation.
    pub appointment_id: Uuid,
    /// Price of the consultation.
    pub total_price: Money,
}

/// Result of recording one payment. It is read from types and codes, never from texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentResult {
    /// Recorded, now or before, with the amount that was sent.
    Confirmed,
    /// Refused. The same payment would be refused again.
    Refused(String),
    /// Unknown, although finance returned results for other payments.
    Failed(String),
}

/// Finance cannot be reached, or its response is not valid: every payment would fail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DestinationFailed {
    /// Message for people.
    pub message: String,
    /// Every call fails until someone changes a setting.
    pub is_misconfigured: bool,
    /// Finance asks not to be called before this time has passed: 1 s to 1 min.
    pub retry_after: Option<Duration>,
}

impl DestinationFailed {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_misconfigured: false, retry_after: None }
    }

    fn misconfigured(message: String) -> Self {
        Self { is_misconfigured: true, ..Self::new(message) }
    }
}

/// Calls finance.
#[derive(Clone, Debug)]
pub struct FinanceClient {
    connector: Arc<Connector>,
    target: FinanceTarget,
    meter: Meter,
}

impl FinanceClient {
    /// A client whose calls take at most `request_timeout` each.
    ///
    /// # Errors
    /// When TLS cannot be set up, or the client certificate cannot be used.
    pub fn new(target: FinanceTarget, request_timeout: Duration) -> anyhow::Result<Self> {
        let connector = Connector::new(target.certificate.clone(), request_timeout).map_err(wrong_setting)?;
        Ok(Self { connector: Arc::new(connector), target, meter: Meter::default() })
    }

    /// Measures calls, and shows until when the client certificate is valid.
    #[must_use]
    pub fn measured(self, metrics: &Metrics) -> Self {
        self.connector.show_not_after(metrics);
        Self { meter: Meter::registered(metrics), ..self }
    }

    async fn call<T: DeserializeOwned, V: Serialize>(
        &self,
        operation: &Operation<T, V>,
    ) -> Result<GraphQlResponse<T>, DestinationFailed> {
        let body = serde_json::to_vec(operation).map_err(|error| DestinationFailed::new(error.to_string()))?;
        let request = self.connector.client().post(self.target.url.clone());
        let request = match &self.target.credentials {
            Credentials::Password { username, password } => {
                let password =
                    password.read().map_err(|error| DestinationFailed::misconfigured(format!("{error:#}")))?;
                request.basic_auth(username, Some(password.expose_secret()))
            }
            Credentials::TokenFile(file) => request.bearer_auth(token_file::read(file)?.expose_secret()),
        };
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/graphql-response+json")
            .body(body);
        let span = Span::current();
        let request = match span.trace_parent() {
            Some(parent) => request.header("traceparent", parent),
            None => request,
        };
        let began = Instant::now();
        let sent = request.send().await;
        if let Ok(response) = &sent {
            span.set("http.response.status_code", i64::from(response.status().as_u16()));
        }
        self.meter.called(sent.as_ref(), began.elapsed());
        read(sent.map_err(transport_failure)?).await
    }
}

/// Reads a response in bounded memory.
async fn read<T: DeserializeOwned>(response: Response) -> Result<GraphQlResponse<T>, DestinationFailed> {
    if response.status() != StatusCode::OK {
        return Err(refused_status(&response));
    }
    let body = http_client::read_body(response, MAX_RESPONSE_BYTES).await.map_err(|error| match error {
        BodyError::TooLarge { limit } => {
            DestinationFailed::new(format!("finance's answer is over {} kB", limit / 1024))
        }
        BodyError::Broken(error) => transport_failure(error),
    })?;
    serde_json::from_slice(&body).map_err(|error| DestinationFailed::new(format!("not an answer of finance: {error}")))
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
