//! What clients see: API types are not rows.

mod errors;
mod inputs;

use async_graphql::{ComplexObject, Context, Enum, ID, Interface, Result, SimpleObject, dataloader::DataLoader};
use entity::{consultation, pending_payment};
use graphql_http::scalars::{DateTime, Decimal, Uuid};

use super::loader::{AppointmentId, ConsultationId, Loader};
pub(crate) use errors::*;
pub(crate) use inputs::*;

/// A medical consultation.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Consultation {
    /// Its id; finance calls it the appointment id.
    pub(crate) id: ID,
    /// Who treats.
    physician_id: Uuid,
    /// Who is treated.
    patient_id: Uuid,
    /// Whether it is over.
    status: ConsultationStatus,
    /// When it started.
    start_date: DateTime,
    /// When it ended; null while it is in progress.
    end_date: Option<DateTime>,
    /// What it costs; null while it is in progress.
    price: Option<Decimal>,
    #[graphql(skip)]
    row_id: uuid::Uuid,
}

#[ComplexObject]
impl Consultation {
    /// Its payment on the way to finance; null while it is in progress, and again when the payment was
    /// delivered so long ago that it is no longer kept here.
    async fn pending_payment(&self, ctx: &Context<'_>) -> Option<Result<PendingPayment>> {
        if self.status == ConsultationStatus::InProgress {
            return None;
        }
        let row = ctx.data_unchecked::<DataLoader<Loader>>().load_one(AppointmentId(self.row_id)).await.transpose()?;
        Some(row.map(PendingPayment::from).map_err(Into::into))
    }
}

/// Whether a consultation is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum ConsultationStatus {
    /// It has started and not ended.
    InProgress,
    /// It has ended and is priced.
    Finished,
}

impl From<consultation::Model> for Consultation {
    fn from(row: consultation::Model) -> Self {
        Self {
            id: row.id.into(),
            physician_id: Uuid(row.physician_id),
            patient_id: Uuid(row.patient_id),
            status: if row.end_date.is_some() { ConsultationStatus::Finished } else { ConsultationStatus::InProgress },
            start_date: row.start_date.into(),
            end_date: row.end_date.map(DateTime::from),
            price: row.price_cents.map(|price| Decimal(price.into())),
            row_id: row.id,
        }
    }
}

/// A payment on its way to finance.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct PendingPayment {
    /// How far it is.
    status: PendingPaymentStatus,
    /// What is charged: the price of the consultation.
    total_price: Decimal,
    /// How often it was sent.
    tries: i64,
    /// When it is sent next; null once finance has confirmed it.
    next_attempt_at: Option<DateTime>,
    /// The last failure; null if there was none, or once finance has confirmed the payment.
    last_error: Option<String>,
    /// When the consultation was finished.
    created_at: DateTime,
    /// When finance confirmed it.
    finished_at: Option<DateTime>,
    #[graphql(skip)]
    appointment_id: uuid::Uuid,
}

#[ComplexObject]
impl PendingPayment {
    /// The consultation that is paid for.
    async fn consultation(&self, ctx: &Context<'_>) -> Result<Consultation> {
        let row = ctx.data_unchecked::<DataLoader<Loader>>().load_one(ConsultationId(self.appointment_id)).await?;
        // The foreign key keeps it there.
        row.map(Consultation::from).ok_or_else(|| async_graphql::Error::new("a pending payment without a consultation"))
    }
}

/// How far a payment is on its way to finance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum PendingPaymentStatus {
    /// It waits to be sent.
    Pending,
    /// It is being sent.
    Processing,
    /// Finance refused it. It is still tried, at most hourly; someone should look.
    Parked,
    /// Finance has confirmed it.
    Finished,
}

impl From<pending_payment::Model> for PendingPayment {
    fn from(row: pending_payment::Model) -> Self {
        let status = match &row {
            row if row.finished => PendingPaymentStatus::Finished,
            row if row.processing => PendingPaymentStatus::Processing,
            row if row.parked_at.is_some() => PendingPaymentStatus::Parked,
            _ => PendingPaymentStatus::Pending,
        };
        Self {
            status,
            total_price: Decimal(row.total_price_cents.into()),
            tries: row.tries,
            next_attempt_at: (!row.finished).then(|| row.next_attempt_at.into()),
            last_error: row.last_error,
            created_at: row.created_at.into(),
            finished_at: row.finished_at.map(DateTime::from),
            appointment_id: row.appointment_id,
        }
    }
}

/// An object with an id by which it can be loaded again.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "&ID", desc = "Its id."))]
pub(crate) enum Node {
    Consultation(Consultation),
}
