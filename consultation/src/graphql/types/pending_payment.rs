//! A payment on its way to finance, as the API tells it.

use async_graphql::{ComplexObject, Context, Enum, ID, Result, SimpleObject};
use entity::{Currency, pending_payment};
use graphql_http::scalars::{DateTime, Decimal};

use super::{
    super::loader::{ConsultationId, SharedLoader},
    Consultation, Settlement,
};
use crate::outbox::State;

/// A payment on its way to finance. Each finished consultation has one.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct PendingPayment {
    /// Id, a UUID.
    pub(crate) id: ID,
    /// Progress of the delivery.
    pub(super) status: PendingPaymentStatus,
    /// Amount to charge, in `currency`: the price of the consultation, from "0.00" to "999999999.99".
    total_price: Decimal,
    /// Number of sends that have started.
    tries: i64,
    /// Time of the next send, by the database's clock. Null once finance has confirmed the payment, or it was settled.
    next_attempt_at: Option<DateTime>,
    /// Text of the last failure, at most 500 characters: of a parked payment that of its refusal, also while finance is down.
    /// Null if none has failed, and once finance has confirmed the payment, or it was settled.
    last_error: Option<String>,
    /// Time at which the finish was stored, by the database's clock.
    created_at: DateTime,
    /// Time at which the confirmation of finance, or the settlement, was stored, by the database's clock. Null until then.
    finished_at: Option<DateTime>,
    /// Operator that last asked to send the payment again: the name of the login, the issuer and subject of the token joined by
    /// "#", or, on the command line, the user of the operating system, as in "uid 1000". At most 512 characters. Null if nobody
    /// has.
    retried_by: Option<String>,
    /// Settlement of a conflict: an operator let the amount stand that finance has recorded. Null without one.
    settlement: Option<Settlement>,
    #[graphql(skip)]
    pub(in crate::graphql) appointment_id: uuid::Uuid,
}

#[ComplexObject]
impl PendingPayment {
    /// Currency of `totalPrice`, by its ISO 4217 code: "BRL". All amounts of the clinic are in the same.
    async fn currency(&self, ctx: &Context<'_>) -> &'static str {
        ctx.data_unchecked::<Currency>().code()
    }

    /// The consultation that is paid for.
    async fn consultation(&self, ctx: &Context<'_>) -> Result<Consultation> {
        let row = ctx.data_unchecked::<SharedLoader>().load_one(ConsultationId(self.appointment_id)).await?;
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
    /// Finance has confirmed it, or an operator has settled it.
    Finished,
}

impl From<pending_payment::Model> for PendingPayment {
    fn from(row: pending_payment::Model) -> Self {
        Self {
            id: row.id.into(),
            settlement: Settlement::of(&row),
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
