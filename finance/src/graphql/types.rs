//! Types of the API. They are not rows: the schema stays when tables change.

mod error_code;
mod errors;

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Interface, Result, SimpleObject};
use entity::{Currency, payment};
use graphql_http::{
    observer::Touched,
    scalars::{DateTime, Decimal, Uuid},
};

use super::loader::{AppointmentId, SharedLoader};
pub(crate) use error_code::{InvalidInput, UserErrorCode};
pub(crate) use errors::{
    PaymentConflict, RecordPaymentError, RecordPaymentsError, UserError, WrongCurrency, WrongInstance,
};

/// The payment entry of one finished consultation. It never changes.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Payment {
    /// Id, a UUID.
    pub(crate) id: ID,
    /// Id of the consultation that is paid for.
    pub(crate) appointment_id: Uuid,
    /// Amount that is charged, in `currency`: "0.00" to "999999999.99".
    total_price: Decimal,
    /// Time of recording, by the database's clock.
    recorded_at: DateTime,
    /// User that recorded the payment: the name of the login, or the issuer and subject of the token joined by "#". At most 512
    /// characters. A payment that is recorded again keeps the first. Null for payments that were recorded before names were
    /// kept.
    recorded_by: Option<String>,
}

impl From<payment::Model> for Payment {
    fn from(row: payment::Model) -> Self {
        Self {
            id: row.id.into(),
            appointment_id: Uuid(row.appointment_id),
            total_price: Decimal(row.total_price_cents.into()),
            recorded_at: row.recorded_at.into(),
            recorded_by: row.recorded_by,
        }
    }
}

#[ComplexObject]
impl Payment {
    /// Currency of `totalPrice`, by its ISO 4217 code: "BRL". All amounts of the clinic are in the same.
    async fn currency(&self, ctx: &Context<'_>) -> &'static str {
        ctx.data_unchecked::<Currency>().code()
    }

    /// The consultation that is paid for.
    async fn consultation(&self) -> Consultation {
        self.appointment_id.0.into()
    }
}

/// A medical consultation. Finance knows its payment; the consultation service knows the rest.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Consultation {
    /// Id, a UUID. Payments call it the appointment id.
    id: ID,
    #[graphql(skip)]
    appointment_id: uuid::Uuid,
}

impl From<uuid::Uuid> for Consultation {
    fn from(appointment_id: uuid::Uuid) -> Self {
        Self { id: appointment_id.into(), appointment_id }
    }
}

#[ComplexObject]
impl Consultation {
    /// Payment of the consultation. Null until it is recorded, a moment after the consultation is finished.
    async fn payment(&self, ctx: &Context<'_>) -> Option<Result<Payment>> {
        let key = AppointmentId(self.appointment_id);
        let row = ctx.data_unchecked::<SharedLoader>().load_one(key).await.transpose()?;
        Touched::by(ctx).add(row.iter().map(|row| row.appointment_id));
        Some(row.map(Payment::from).map_err(Into::into))
    }
}

/// An object that can be read again by its id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "&ID", desc = "Id, a UUID."))]
pub(crate) enum Node {
    Payment(Payment),
}

/// Conditions on payments. All that are given must hold.
#[derive(Debug, Default, PartialEq, Eq, InputObject)]
pub(crate) struct PaymentFilter {
    /// Payments of these appointments, at most 100.
    pub(crate) appointment_ids: Option<Vec<Uuid>>,
    /// Payments recorded at this time or later. The time needs an offset.
    pub(crate) recorded_from: Option<DateTime>,
    /// Payments recorded before this time. The time needs an offset.
    pub(crate) recorded_before: Option<DateTime>,
    /// True: payments before which no other can appear any more. A payment becomes stable a minute after it was recorded.
    /// A client that polls with this filter, each time `after` the last cursor, reads every payment exactly once. False or
    /// null: no condition.
    pub(crate) stable: Option<bool>,
}

/// Order of payments. Those of the same time are in the order of their ids.
#[derive(Debug, InputObject)]
pub(crate) struct PaymentOrder {
    /// Field to order by.
    pub(crate) field: PaymentOrderField,
    /// Direction of the order.
    pub(crate) direction: OrderDirection,
}

/// Fields to order payments by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum PaymentOrderField {
    /// Time of recording.
    RecordedAt,
}

/// Direction of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum OrderDirection {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
}

/// A payment to record.
#[derive(Debug, InputObject)]
pub(crate) struct RecordPaymentInput {
    /// Id of the consultation that is paid for.
    pub(crate) appointment_id: Uuid,
    /// Amount to charge: "0.00" to "999999999.99", with at most two decimals. Nothing is rounded.
    pub(crate) total_price: Decimal,
}

/// Payments to record. Each is recorded or refused by itself.
#[derive(Debug, InputObject)]
pub(crate) struct RecordPaymentsInput {
    /// 1 to 100 payments.
    pub(crate) payments: Vec<RecordPaymentInput>,
    /// The `instanceId` of the finance that the caller expects. Another finance refuses all. Null: any finance records.
    pub(crate) instance_id: Option<Uuid>,
    /// Currency of the amounts, by its ISO 4217 code. A finance with another currency refuses all. Null: they are in the
    /// currency of the finance that records.
    pub(crate) currency: Option<String>,
}

/// Result of recording one payment.
#[derive(Clone, Debug, Default, SimpleObject)]
pub(crate) struct RecordPaymentPayload {
    /// The stored payment. Null if it was refused.
    pub(crate) payment: Option<Payment>,
    /// True if the payment had been recorded before, with the same amount.
    pub(crate) already_recorded: bool,
    /// Refusals. Empty on success.
    pub(crate) user_errors: Vec<RecordPaymentError>,
}

/// Result of `recordPayments`.
#[derive(Debug, Default, SimpleObject)]
pub(crate) struct RecordPaymentsPayload {
    /// One result for each payment, in the order of the input. Empty if the input was refused as a whole. A result is null
    /// after a fault: the payment may be recorded or not. Send it again.
    pub(crate) results: Vec<Option<Result<RecordPaymentPayload>>>,
    /// Refusals of the input as a whole. Empty otherwise.
    pub(crate) user_errors: Vec<RecordPaymentsError>,
}
