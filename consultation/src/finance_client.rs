//! The client of finance. Its documents are checked against finance's schema at compile time.

mod connector;
mod currency;
mod instance;
mod meter;
mod payments;
mod queries;
mod record;
mod response;
#[cfg(test)]
mod tests;
mod token_file;
mod up_to_date;

use std::{sync::Arc, time::Duration};

use chassis::{cli::wrong_setting, metrics::Metrics, traces::Span};
use cynic::{GraphQlResponse, Operation};
use entity::{Currency, Money};
use reqwest::{
    Response,
    header::{ACCEPT, CONTENT_TYPE},
};
use secrecy::ExposeSecret;
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::{Credentials, FinanceTarget};
use connector::Connector;
use meter::Meter;
pub use payments::RecordedPayment;
use response::{Unread, read};
use up_to_date::UpToDate;

/// Payments in one request, to record or to read.
pub const MAX_PAYMENTS: u64 = 100;
/// The longest duration of a call. It is no longer than the pause between two tries, so a call that hangs does not
/// delay the next.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

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
    currency: Currency,
    meter: Meter,
}

impl FinanceClient {
    /// A client whose calls take at most `request_timeout` each. It records and reads payments in this currency only.
    ///
    /// # Errors
    /// When TLS cannot be set up, or the client certificate cannot be used.
    pub fn new(target: FinanceTarget, currency: Currency, request_timeout: Duration) -> anyhow::Result<Self> {
        let connector = Connector::new(target.certificate.clone(), request_timeout).map_err(wrong_setting)?;
        Ok(Self { connector: Arc::new(connector), target, currency, meter: Meter::default() })
    }

    /// Measures calls, and shows until when the client certificate is valid.
    #[must_use]
    pub fn measured(self, metrics: &Metrics) -> Self {
        self.connector.show_not_after(metrics);
        Self { meter: Meter::registered(metrics), ..self }
    }

    /// Renews the client certificate, if there is one, until shutdown.
    pub async fn keep_certificate_renewed(self, shutdown: CancellationToken) {
        self.connector.keep_renewed(shutdown).await;
    }

    async fn call<T: DeserializeOwned, V: Serialize>(
        &self,
        operation: &Operation<T, V>,
    ) -> Result<GraphQlResponse<T>, DestinationFailed> {
        let body =
            serde_json::to_vec(&UpToDate::new(operation)).map_err(|error| DestinationFailed::new(error.to_string()))?;
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
        let request = match span.propagated() {
            Some(parent) => request.header("traceparent", parent),
            None => request,
        };
        let began = Instant::now();
        let sent = request.send().await;
        let status = sent.as_ref().ok().map(Response::status);
        if let Some(status) = status {
            span.set("http.response.status_code", i64::from(status.as_u16()));
        }
        let read = match sent {
            Ok(response) => read(response).await,
            Err(error) => Err(Unread::Transport(error)),
        };
        self.meter.called(status, read.as_ref().err(), began.elapsed());
        read.map_err(DestinationFailed::from)
    }
}
