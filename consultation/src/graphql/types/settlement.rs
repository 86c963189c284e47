//! The settlement of a conflict: what is stored of it, and the input, payload and refusals of `settlePendingPayment`.

use async_graphql::{ID, InputObject, SimpleObject, Union};
use entity::pending_payment;
use graphql_http::{
    refusal,
    scalars::{DateTime, Decimal},
};

use super::{InvalidInput, PendingPayment};
use crate::{
    messages::MESSAGES,
    outbox::{SettleRefusal, Settled},
};

/// An operator's decision that the amount stands that finance has recorded, which is not the one that was sent.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct Settlement {
    /// Amount that finance has recorded, from "0.00" to "999999999.99".
    recorded_price: Decimal,
    /// Why it stands, of 1 to 500 characters.
    reason: String,
    /// Operator that settled the payment: the name of the login, the issuer and subject of the token joined by "#", or, on the
    /// command line, the user of the operating system, as in "uid 1000". At most 512 characters.
    settled_by: String,
    /// Time of the settlement, by the database's clock.
    settled_at: DateTime,
}

/// A payment that finance refuses, to let the amount stand that finance has recorded.
#[derive(Debug, InputObject)]
pub(crate) struct SettlePendingPaymentInput {
    /// Id of the consultation that is paid for.
    pub(crate) consultation_id: ID,
    /// Why finance's amount stands, of 1 to 500 characters. It is kept for ever: write no name of a patient into it.
    pub(crate) reason: String,
}

/// Result of `settlePendingPayment`.
#[derive(Debug, Default, SimpleObject)]
pub(crate) struct SettlePendingPaymentPayload {
    /// The pending payment with its settlement. Null if it was refused.
    pub(crate) pending_payment: Option<PendingPayment>,
    /// Refusals. Empty on success.
    pub(crate) user_errors: Vec<SettlePendingPaymentError>,
}

/// Refusals of `settlePendingPayment`.
#[derive(Clone, Debug, Union)]
pub(crate) enum SettlePendingPaymentError {
    PaymentNotRefused(PaymentNotRefused),
    PaymentNotRecorded(PaymentNotRecorded),
    AmountsAgree(AmountsAgree),
    InvalidInput(InvalidInput),
}

/// Finance has not refused the payment: the consultation is unknown, in progress or cancelled, or its payment waits, is
/// delivered, or is settled.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct PaymentNotRefused {
    /// Explanation for people, in the language of the request.
    pub(super) message: String,
    /// Always `PAYMENT_NOT_REFUSED`.
    pub(super) code: String,
    /// Path of the refused argument.
    pub(super) field: Option<Vec<String>>,
    /// The pending payment as it is. A client whose response was lost finds the settlement here. Null without one.
    pending_payment: Option<Box<PendingPayment>>,
}

/// Finance refused the payment and has recorded none of the consultation: there is no amount that could stand.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct PaymentNotRecorded {
    /// Explanation for people, in the language of the request.
    pub(super) message: String,
    /// Always `PAYMENT_NOT_RECORDED`.
    pub(super) code: String,
    /// Path of the refused argument.
    pub(super) field: Option<Vec<String>>,
}

/// Finance has recorded the amount that is to be charged: `retryPendingPayment` delivers the payment.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct AmountsAgree {
    /// Explanation for people, in the language of the request.
    pub(super) message: String,
    /// Always `AMOUNTS_AGREE`.
    pub(super) code: String,
    /// Path of the refused argument.
    pub(super) field: Option<Vec<String>>,
}

impl Settlement {
    pub(super) fn of(row: &pending_payment::Model) -> Option<Self> {
        Some(Self {
            recorded_price: Decimal(row.settled_price_cents?.into()),
            reason: row.settle_reason.clone()?,
            settled_by: row.settled_by.clone()?,
            settled_at: row.settled_at?.into(),
        })
    }
}

impl From<Settled> for SettlePendingPaymentPayload {
    fn from(settled: Settled) -> Self {
        match settled {
            Ok(row) => Self { pending_payment: Some(row.into()), ..Self::default() },
            Err(refusal) => SettlePendingPaymentError::from(refusal).into(),
        }
    }
}

impl From<SettlePendingPaymentError> for SettlePendingPaymentPayload {
    fn from(refusal: SettlePendingPaymentError) -> Self {
        Self { user_errors: vec![refusal], ..Self::default() }
    }
}

impl From<SettleRefusal> for SettlePendingPaymentError {
    fn from(refusal: SettleRefusal) -> Self {
        let field = refusal::field(&["input", "consultationId"]);
        let message = MESSAGES.text(refusal.message(), &[]);
        match refusal {
            SettleRefusal::NotRefused(row) => {
                let pending_payment = row.map(|row| Box::new((*row).into()));
                PaymentNotRefused { message, code: "PAYMENT_NOT_REFUSED".to_owned(), field, pending_payment }.into()
            }
            SettleRefusal::NotRecorded => {
                PaymentNotRecorded { message, code: "PAYMENT_NOT_RECORDED".to_owned(), field }.into()
            }
            SettleRefusal::AmountsAgree(_) => AmountsAgree { message, code: "AMOUNTS_AGREE".to_owned(), field }.into(),
        }
    }
}
