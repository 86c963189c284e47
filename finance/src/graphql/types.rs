//! What clients see: API types are not rows.

mod errors;

use async_graphql::{ComplexObject, Context, ID, InputObject, Interface, Result, SimpleObject, dataloader::DataLoader};
use entity::payment;
use graphql_http::scalars::{DateTime, Decimal, Uuid};

use super::loader::{AppointmentId, Loader};
pub(crate) use errors::{PaymentConflict, RecordPaymentError, RecordPaymentsError, UserError, WrongInstance};

/// The payment entry of one finished consultation.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Payment {
    /// Its own id.
    pub(crate) id: ID,
    /// The consultation that is paid for.
    appointment_id: Uuid,
    /// What is charged, from "0.00" to "999999999.99".
    total_price: Decimal,
    /// When it was recorded.
    recorded_at: DateTime,
}

impl From<payment::Model> for Payment {
    fn from(row: payment::Model) -> Self {
        Self {
            id: row.id.into(),
            appointment_id: Uuid(row.appointment_id),
            total_price: Decimal(row.total_price_cents.into()),
            recorded_at: row.recorded_at.into(),
        }
    }
}

#[ComplexObject]
impl Payment {
    /// The consultation that is paid for.
    async fn consultation(&self) -> Consultation {
        self.appointment_id.0.into()
    }
}

/// A medical consultation, of which finance knows the payment; the rest is the consultation service's.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Consultation {
    /// Its id; in payments it is the appointment id.
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
    /// Its payment; null until it is recorded, a moment after the consultation is finished.
    async fn payment(&self, ctx: &Context<'_>) -> Option<Result<Payment>> {
        let key = AppointmentId(self.appointment_id);
        let row = ctx.data_unchecked::<DataLoader<Loader>>().load_one(key).await.transpose()?;
        Some(row.map(Payment::from).map_err(Into::into))
    }
}

/// An object with an id by which it can be loaded again.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "&ID", desc = "Its id."))]
pub(crate) enum Node {
    Payment(Payment),
}

/// Which payments to list; conditions add up.
#[derive(Debug, Default, PartialEq, Eq, InputObject)]
pub(crate) struct PaymentFilter {
    /// Only those of these appointments, at most 100.
    pub(crate) appointment_ids: Option<Vec<Uuid>>,
    /// Only those recorded at this time or later.
    pub(crate) recorded_from: Option<DateTime>,
    /// Only those recorded before this time.
    pub(crate) recorded_before: Option<DateTime>,
    /// If true, only those whose place in the list is final: none can appear before them any more. A payment becomes
    /// stable a minute after it was recorded. Whoever polls with this filter, each time `after` the last cursor, reads
    /// every payment exactly once.
    pub(crate) stable: Option<bool>,
}

/// A payment to record.
#[derive(Debug, InputObject)]
pub(crate) struct RecordPaymentInput {
    /// The consultation that is paid for.
    pub(crate) appointment_id: Uuid,
    /// What is charged: "0.00" to "999999999.99" with at most two decimals; nothing is rounded.
    pub(crate) total_price: Decimal,
}

/// Payments to record, each by itself.
#[derive(Debug, InputObject)]
pub(crate) struct RecordPaymentsInput {
    /// 1 to 100 payments.
    pub(crate) payments: Vec<RecordPaymentInput>,
    /// Refuse all if this finance's books are others: the `instanceId` that the caller expects. Null: record in any.
    pub(crate) instance_id: Option<Uuid>,
}

/// What became of a payment.
#[derive(Clone, Debug, Default, SimpleObject)]
pub(crate) struct RecordPaymentPayload {
    /// The stored payment, unless it was refused.
    pub(crate) payment: Option<Payment>,
    /// Whether it had been recorded before, with the same amount.
    pub(crate) already_recorded: bool,
    /// Why it was refused; empty on success.
    pub(crate) user_errors: Vec<RecordPaymentError>,
}

/// What became of several payments.
#[derive(Debug, Default, SimpleObject)]
pub(crate) struct RecordPaymentsPayload {
    /// One result for each payment, in the order of the input; empty if the input as a whole was refused.
    /// Null where a fault kept that one from being recorded or its answer from being known: send it again.
    pub(crate) results: Vec<Option<Result<RecordPaymentPayload>>>,
    /// Why the input as a whole was refused; empty otherwise.
    pub(crate) user_errors: Vec<RecordPaymentsError>,
}
