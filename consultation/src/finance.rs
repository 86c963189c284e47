//! The client of finance, checked against its schema when this is compiled.

use std::time::Duration;

use chassis::http_client;
use cynic::{GraphQlResponse, MutationBuilder};
use entity::Money;
use reqwest::{Client, Response, StatusCode};
use rust_decimal::Decimal;
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::config::Finance;
use queries::{Payment, RecordPayment, RecordPaymentError, RecordPaymentInput, RecordPaymentVariables};

/// How long to wait for a connection: finance is near or it is down.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// An answer is under 1 kB; whatever is longer is not finance's.
const MAX_ANSWER: usize = 64 * 1024;

/// Why a payment was not confirmed. It decides how the relay goes on; it is never guessed from texts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// Finance cannot be reached or does not answer as it should: every payment would fail.
    #[error("{0}")]
    Destination(String),
    /// Finance refuses this payment.
    #[error("{0}")]
    Refused(String),
}

/// Calls finance.
#[derive(Clone, Debug)]
pub struct FinanceClient {
    http: Client,
    finance: Finance,
}

impl FinanceClient {
    /// A client each of whose calls takes at most `request_limit`.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(finance: Finance, request_limit: Duration) -> anyhow::Result<Self> {
        let http = http_client::builder().connect_timeout(CONNECT_LIMIT).timeout(request_limit).build()?;
        Ok(Self { http, finance })
    }

    /// Records a payment, now or before. Only a checked answer is success: finance must name the
    /// appointment and the amount that were sent.
    ///
    /// # Errors
    /// See [`DeliveryError`].
    pub async fn record_payment(&self, appointment_id: Uuid, total_price: Money) -> Result<(), DeliveryError> {
        let input = RecordPaymentInput { appointment_id, total_price: Decimal::from(total_price) };
        let operation = RecordPayment::build(RecordPaymentVariables { input });
        let body = serde_json::to_vec(&operation).map_err(|error| DeliveryError::Refused(error.to_string()))?;
        let request = self
            .http
            .post(self.finance.url.clone())
            .basic_auth(&self.finance.username, Some(self.finance.password.expose_secret()))
            .header("content-type", "application/json")
            .header("accept", "application/graphql-response+json")
            .body(body);
        let response = request.send().await.map_err(destination)?;
        let answer = read(response).await?;
        confirmed(answer, appointment_id, total_price)
    }
}

/// Reads an answer of finance, in bounded memory.
async fn read(mut response: Response) -> Result<GraphQlResponse<RecordPayment>, DeliveryError> {
    let status = response.status();
    if status != StatusCode::OK {
        let advice = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ": check the user name and password for finance",
            StatusCode::NOT_FOUND => ": check the URL of finance",
            _ => "",
        };
        return Err(DeliveryError::Destination(format!("finance answered {status}{advice}")));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(destination)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(DeliveryError::Destination(format!("finance's answer is over {} kB", MAX_ANSWER / 1024)));
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body)
        .map_err(|error| DeliveryError::Destination(format!("not an answer of finance: {error}")))
}

fn confirmed(
    answer: GraphQlResponse<RecordPayment>,
    appointment_id: Uuid,
    total_price: Money,
) -> Result<(), DeliveryError> {
    if let Some(error) = answer.errors.unwrap_or_default().first() {
        return Err(DeliveryError::Destination(format!("finance failed: {}", error.message)));
    }
    let Some(payload) = answer.data.and_then(|data| data.record_payment) else {
        return Err(DeliveryError::Destination("finance answered nothing".to_owned()));
    };
    match (payload.user_errors.into_iter().next(), payload.payment) {
        (Some(RecordPaymentError::PaymentConflict(refusal)), _) => Err(DeliveryError::Refused(refusal.to_string())),
        (Some(RecordPaymentError::InvalidInput(refusal)), _) => Err(DeliveryError::Refused(refusal.to_string())),
        (Some(RecordPaymentError::Unknown), _) => {
            Err(DeliveryError::Refused("refused for an unknown reason".to_owned()))
        }
        (None, Some(payment)) if payment == (Payment { appointment_id, total_price: total_price.into() }) => Ok(()),
        (None, _) => Err(DeliveryError::Destination("finance confirmed another payment than was sent".to_owned())),
    }
}

/// The causes of a failed call, outermost first, without the URL, which the settings tell.
fn destination(error: reqwest::Error) -> DeliveryError {
    let error = error.without_url();
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |cause| cause.source());
    DeliveryError::Destination(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

/// What is sent and selected. Each field and type is checked against `finance/schema.graphql`.
mod queries {
    use rust_decimal::Decimal;
    use uuid::Uuid;

    #[expect(unreachable_pub, reason = "generated")]
    #[cynic::schema("finance")]
    mod schema {}

    cynic::impl_scalar!(Uuid, schema::UUID);
    cynic::impl_scalar!(Decimal, schema::Decimal);

    #[derive(Debug, cynic::QueryVariables)]
    pub(super) struct RecordPaymentVariables {
        pub(super) input: RecordPaymentInput,
    }

    #[derive(Debug, cynic::InputObject)]
    pub(super) struct RecordPaymentInput {
        pub(super) appointment_id: Uuid,
        pub(super) total_price: Decimal,
    }

    #[derive(Debug, cynic::QueryFragment)]
    #[cynic(graphql_type = "Mutation", variables = "RecordPaymentVariables")]
    pub(super) struct RecordPayment {
        #[arguments(input: $input)]
        pub(super) record_payment: Option<RecordPaymentPayload>,
    }

    #[derive(Debug, cynic::QueryFragment)]
    pub(super) struct RecordPaymentPayload {
        pub(super) payment: Option<Payment>,
        pub(super) user_errors: Vec<RecordPaymentError>,
    }

    #[derive(Debug, PartialEq, cynic::QueryFragment)]
    pub(super) struct Payment {
        pub(super) appointment_id: Uuid,
        pub(super) total_price: Decimal,
    }

    #[derive(Debug, cynic::InlineFragments)]
    pub(super) enum RecordPaymentError {
        PaymentConflict(PaymentConflict),
        InvalidInput(InvalidInput),
        #[cynic(fallback)]
        Unknown,
    }

    #[derive(Debug, cynic::QueryFragment)]
    pub(super) struct PaymentConflict {
        pub(super) code: String,
        pub(super) message: String,
    }

    #[derive(Debug, cynic::QueryFragment)]
    pub(super) struct InvalidInput {
        pub(super) code: String,
        pub(super) message: String,
    }

    impl std::fmt::Display for PaymentConflict {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{}: {}", self.code, self.message)
        }
    }

    impl std::fmt::Display for InvalidInput {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{}: {}", self.code, self.message)
        }
    }
}
