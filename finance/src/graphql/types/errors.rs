//! Refusals, as clients see them.

use async_graphql::{Interface, SimpleObject, Union};
use entity::payment;
use graphql_http::{
    refusal::{self, InvalidInput},
    scalars::Uuid,
};

use super::Payment;
use crate::messages::MESSAGES;

/// The appointment is recorded with another amount, which stands.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct PaymentConflict {
    /// What is wrong, for people.
    message: String,
    /// `PAYMENT_CONFLICT`, for programs.
    code: String,
    /// The path of the argument.
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

/// This finance keeps other books than the caller expects. Nothing was recorded.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct WrongInstance {
    /// What is wrong, for people.
    message: String,
    /// `WRONG_INSTANCE`, for programs.
    code: String,
    /// The path of the argument.
    field: Option<Vec<String>>,
    /// The id of this finance's books.
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

/// Why a payment was refused.
#[derive(Clone, Debug, Union)]
pub(crate) enum RecordPaymentError {
    PaymentConflict(PaymentConflict),
    InvalidInput(InvalidInput),
}

/// Why a list of payments was refused as a whole.
#[derive(Clone, Debug, Union)]
pub(crate) enum RecordPaymentsError {
    InvalidInput(InvalidInput),
    WrongInstance(WrongInstance),
}

/// What every refusal has.
#[derive(Interface)]
#[graphql(
    field(name = "message", ty = "&String", desc = "What is wrong, for people."),
    field(name = "code", ty = "&String", desc = "The kind of refusal, for programs."),
    field(name = "field", ty = "&Option<Vec<String>>", desc = "The path of the argument that was refused.")
)]
pub(crate) enum UserError {
    PaymentConflict(PaymentConflict),
    InvalidInput(InvalidInput),
    WrongInstance(WrongInstance),
}
