//! Types of the API. They are not rows: the schema stays when tables change.

mod changes;
mod error_code;
mod errors;
mod inputs;

use async_graphql::{ComplexObject, Context, Enum, ID, Interface, Result, SimpleObject, dataloader::DataLoader};
use entity::{Currency, consultation, pending_payment};
use graphql_http::scalars::{DateTime, Decimal, Uuid};

use super::loader::{AppointmentId, ConsultationId, Loader};
use crate::outbox::State;
pub(crate) use changes::*;
pub(crate) use error_code::*;
pub(crate) use errors::*;
pub(crate) use inputs::*;

/// A medical consultation of a patient with a physician.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Consultation {
    /// Id, a UUID. Finance calls it the appointment id.
    pub(crate) id: ID,
    /// Id of the physician: any UUID, since the service keeps no register of physicians.
    physician_id: Uuid,
    /// Id of the patient: any UUID, since the service keeps no register of patients.
    patient_id: Uuid,
    /// Whether the consultation is in progress or finished.
    status: ConsultationStatus,
    /// Start, by the database's clock.
    start_date: DateTime,
    /// End. Null while the consultation is in progress.
    end_date: Option<DateTime>,
    /// Price in `currency`, from "0.00" to "999999999.99". Null while the consultation is in progress.
    price: Option<Decimal>,
    /// User that started the consultation: the name of the login, or the issuer and subject of the token joined by "#". At
    /// most 512 characters. Null for consultations that were started before names were kept.
    started_by: Option<String>,
    /// User that finished the consultation, as in `startedBy`. Null while the consultation is in progress, and for those that
    /// were finished before names were kept.
    finished_by: Option<String>,
    #[graphql(skip)]
    pub(crate) row_id: uuid::Uuid,
}

#[ComplexObject]
impl Consultation {
    /// Currency of `price`, by its ISO 4217 code: "BRL". All amounts of the clinic are in the same.
    async fn currency(&self, ctx: &Context<'_>) -> &'static str {
        ctx.data_unchecked::<Currency>().code()
    }

    /// Payment on its way to finance. Null while the consultation is in progress. Null again once the payment has been
    /// delivered for longer than the operator keeps it here, by default 90 days.
    async fn pending_payment(&self, ctx: &Context<'_>) -> Option<Result<PendingPayment>> {
        if self.status == ConsultationStatus::InProgress {
            return None;
        }
        let row = ctx.data_unchecked::<DataLoader<Loader>>().load_one(AppointmentId(self.row_id)).await.transpose()?;
        Some(row.map(PendingPayment::from).map_err(Into::into))
    }
}

/// Progress of a consultation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum ConsultationStatus {
    /// Started and not finished.
    InProgress,
    /// Ended and priced.
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
            started_by: row.started_by,
            finished_by: row.finished_by,
            row_id: row.id,
        }
    }
}

/// A payment on its way to finance. Each finished consultation has one.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct PendingPayment {
    /// Progress of the delivery.
    status: PendingPaymentStatus,
    /// Amount to charge, in `currency`: the price of the consultation, from "0.00" to "999999999.99".
    total_price: Decimal,
    /// Number of sends that have started.
    tries: i64,
    /// Time of the next send, by the database's clock. Null once finance has confirmed the payment.
    next_attempt_at: Option<DateTime>,
    /// Text of the last failure, at most 500 characters: of a parked payment that of its refusal, also while finance is down.
    /// Null if none has failed, and once finance has confirmed the payment.
    last_error: Option<String>,
    /// Time at which the finish was stored, by the database's clock.
    created_at: DateTime,
    /// Time at which the confirmation of finance was stored, by the database's clock. Null until then.
    finished_at: Option<DateTime>,
    /// Operator that last asked to send the payment again: the name of the login, the issuer and subject of the token joined by
    /// "#", or, on the command line, the user of the operating system, as in "uid 1000". At most 512 characters. Null if nobody
    /// has.
    retried_by: Option<String>,
    #[graphql(skip)]
    pub(super) appointment_id: uuid::Uuid,
}

#[ComplexObject]
impl PendingPayment {
    /// Currency of `totalPrice`, by its ISO 4217 code: "BRL". All amounts of the clinic are in the same.
    async fn currency(&self, ctx: &Context<'_>) -> &'static str {
        ctx.data_unchecked::<Currency>().code()
    }

    /// The consultation that is paid for.
    async fn consultation(&self, ctx: &Context<'_>) -> Result<Consultation> {
        let row = ctx.data_unchecked::<DataLoader<Loader>>().load_one(ConsultationId(self.appointment_id)).await?;
        // The foreign key keeps the consultation.
        row.map(Consultation::from).ok_or_else(|| async_graphql::Error::new("a pending payment without a consultation"))
    }
}

/// Progress of the delivery of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub(crate) enum PendingPaymentStatus {
    /// It waits for its next send.
    Pending,
    /// It is being sent.
    Processing,
    /// Finance has refused it. It is sent again after growing pauses of up to an hour. An operator should read `lastError`.
    Parked,
    /// Finance has confirmed it.
    Finished,
}

impl From<pending_payment::Model> for PendingPayment {
    fn from(row: pending_payment::Model) -> Self {
        Self {
            status: State::of(&row).into(),
            total_price: Decimal(row.total_price_cents.into()),
            tries: row.tries,
            next_attempt_at: (!row.finished).then(|| row.next_attempt_at.into()),
            last_error: row.last_error,
            created_at: row.created_at.into(),
            finished_at: row.finished_at.map(DateTime::from),
            retried_by: row.retried_by,
            appointment_id: row.appointment_id,
        }
    }
}

/// An object that can be read again by its id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "&ID", desc = "Id, a UUID."))]
pub(crate) enum Node {
    Consultation(Consultation),
}
