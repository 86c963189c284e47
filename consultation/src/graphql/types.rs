//! Types of the API. They are not rows: the schema stays when tables change.

mod cancel;
mod changes;
mod error_code;
mod errors;
mod inputs;
mod lists;
mod origin;
mod pending_payment;
mod settlement;

use async_graphql::{ComplexObject, Context, Enum, ID, Interface, Result, SimpleObject};
use entity::{Currency, consultation};
use graphql_http::scalars::{DateTime, Decimal, Uuid};

use super::loader::{AppointmentId, SharedLoader};
pub(crate) use cancel::*;
pub(crate) use changes::*;
pub(crate) use error_code::*;
pub(crate) use errors::*;
pub(crate) use inputs::*;
pub(crate) use lists::*;
pub(crate) use origin::*;
pub(crate) use pending_payment::*;
pub(crate) use settlement::*;

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
    /// Whether the consultation is in progress, finished or cancelled.
    status: ConsultationStatus,
    /// Start, by the database's clock, or as it was entered afterwards.
    start_date: DateTime,
    /// End; of a cancelled consultation the time of the cancellation. Null while the consultation is in progress.
    end_date: Option<DateTime>,
    /// Price in `currency`, from "0.00" to "999999999.99". Null while the consultation is in progress, and if it was
    /// cancelled.
    price: Option<Decimal>,
    /// User that started the consultation: the name of the login, or the issuer and subject of the token joined by "#". At
    /// most 512 characters. Null for consultations that were started before names were kept.
    started_by: Option<String>,
    /// User that finished the consultation, as in `startedBy`. Null while the consultation is in progress, if it was
    /// cancelled, and for those that were finished before names were kept.
    finished_by: Option<String>,
    /// Reason of the cancellation, 1 to 500 characters; "forgotten" once an operator had the patient forgotten. Null unless
    /// the consultation was cancelled.
    cancel_reason: Option<String>,
    /// User that cancelled the consultation, as in `startedBy`. Null unless it was cancelled.
    cancelled_by: Option<String>,
    /// Where the consultation comes from.
    origin: ConsultationOrigin,
    #[graphql(skip)]
    pub(crate) row_id: uuid::Uuid,
}

#[ComplexObject]
impl Consultation {
    /// Currency of `price`, by its ISO 4217 code: "BRL". All amounts of the clinic are in the same.
    async fn currency(&self, ctx: &Context<'_>) -> &'static str {
        ctx.data_unchecked::<Currency>().code()
    }

    /// Payment on its way to finance. Null while the consultation is in progress, and if it was cancelled. Null again once
    /// the payment has been delivered for longer than the operator keeps it here, by default 90 days.
    async fn pending_payment(&self, ctx: &Context<'_>) -> Option<Result<PendingPayment>> {
        if self.status != ConsultationStatus::Finished {
            return None;
        }
        let row = ctx.data_unchecked::<SharedLoader>().load_one(AppointmentId(self.row_id)).await.transpose()?;
        Some(row.map(PendingPayment::from).map_err(Into::into))
    }
}

/// Progress of a consultation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum ConsultationStatus {
    /// Started and not ended.
    InProgress,
    /// Ended and priced.
    Finished,
    /// Ended without a price, for a reason that somebody gave. Nothing is charged.
    Cancelled,
}

impl ConsultationStatus {
    fn of(row: &consultation::Model) -> Self {
        match (row.end_date, &row.cancel_reason) {
            (None, _) => Self::InProgress,
            (Some(_), None) => Self::Finished,
            (Some(_), Some(_)) => Self::Cancelled,
        }
    }
}

impl From<consultation::Model> for Consultation {
    fn from(row: consultation::Model) -> Self {
        Self {
            id: row.id.into(),
            physician_id: Uuid(row.physician_id),
            patient_id: Uuid(row.patient_id),
            status: ConsultationStatus::of(&row),
            start_date: row.start_date.into(),
            end_date: row.end_date.map(DateTime::from),
            price: row.price_cents.map(|price| Decimal(price.into())),
            started_by: row.started_by,
            finished_by: row.finished_by,
            cancel_reason: row.cancel_reason,
            cancelled_by: row.cancelled_by,
            origin: row.origin.into(),
            row_id: row.id,
        }
    }
}

/// An object that can be read again by its id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "&ID", desc = "Id, a UUID."))]
pub(crate) enum Node {
    Consultation(Consultation),
    PendingPayment(PendingPayment),
}
