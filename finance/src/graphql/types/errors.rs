//! Refusals. They are data: each names the argument and carries what the client needs to go on.

use async_graphql::{Interface, SimpleObject, Union};
use entity::{Currency, payment};
use graphql_http::{refusal, scalars::Uuid};

use super::{InvalidInput, Payment, UserErrorCode};
use crate::messages::MESSAGES;

/// The appointment is recorded with another amount, which stands. Nothing was changed.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct PaymentConflict {
    /// Explanation for people, in the language of the request.
    message: String,
    /// Always `PAYMENT_CONFLICT`.
    code: String,
    /// Path of the refused argument.
    field: Option<Vec<String>>,
    /// The stored payment.
    payment: Payment,
}

impl PaymentConflict {
    pub(crate) fn new(path: &[String], stored: payment::Model) -> Self {
        Self {
            message: MESSAGES.text("payment-conflict", &[("amount", &stored.total_price_cents)]),
            code: "PAYMENT_CONFLICT".to_owned(),
            field: refusal::field(path),
            payment: stored.into(),
        }
    }
}

/// This finance is another instance than the caller expects. Nothing was recorded.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct WrongInstance {
    /// Explanation for people, in the language of the request.
    message: String,
    /// Always `WRONG_INSTANCE`.
    code: String,
    /// Path of the refused argument.
    field: Option<Vec<String>>,
    /// Instance id of this finance.
    instance_id: Uuid,
}

impl WrongInstance {
    pub(crate) fn new(expected: uuid::Uuid, instance_id: uuid::Uuid) -> Self {
        Self {
            message: MESSAGES.text("wrong-instance", &[("instance", &instance_id), ("expected", &expected)]),
            code: "WRONG_INSTANCE".to_owned(),
            field: refusal::field(&["input", "instanceId"]),
            instance_id: Uuid(instance_id),
        }
    }
}

/// The amounts are in another currency than those of this finance. Nothing was recorded.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct WrongCurrency {
    /// Explanation for people, in the language of the request.
    message: String,
    /// Always `WRONG_CURRENCY`.
    code: String,
    /// Path of the refused argument.
    field: Option<Vec<String>>,
    /// Currency of this finance.
    currency: String,
}

impl WrongCurrency {
    pub(crate) fn new(own: Currency) -> Self {
        Self {
            message: MESSAGES.text("wrong-currency", &[("currency", &own)]),
            code: "WRONG_CURRENCY".to_owned(),
            field: refusal::field(&["input", "currency"]),
            currency: own.code().to_owned(),
        }
    }
}

/// Refusals of one payment.
#[derive(Clone, Debug, Union)]
pub(crate) enum RecordPaymentError {
    PaymentConflict(PaymentConflict),
    InvalidInput(InvalidInput),
}

/// Refusals of a list of payments as a whole.
#[derive(Clone, Debug, Union)]
pub(crate) enum RecordPaymentsError {
    InvalidInput(InvalidInput),
    WrongInstance(WrongInstance),
    WrongCurrency(WrongCurrency),
}

/// A refusal. Every kind of refusal has these fields.
#[derive(Interface)]
#[graphql(
    field(name = "message", ty = "&String", desc = "Explanation for people, in the language of the request."),
    field(name = "code", ty = "&String", desc = "Kind of refusal, for programs. It never changes."),
    field(name = "error_code", ty = "UserErrorCode", desc = "Kind of refusal: `code` as an enum."),
    field(name = "field", ty = "&Option<Vec<String>>", desc = "Path of the refused argument.")
)]
pub(crate) enum UserError {
    PaymentConflict(PaymentConflict),
    InvalidInput(InvalidInput),
    WrongInstance(WrongInstance),
    WrongCurrency(WrongCurrency),
}
