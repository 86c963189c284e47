//! Consultations: a patient has at most one in progress; finishing prices it and commits its pending
//! payment in the same transaction.

mod finish;
mod start;
#[cfg(test)]
mod tests;

use chassis::{
    changes::Changes,
    clock,
    database::Database,
    health::Heartbeat,
    write_coalescer::{WriteCoalescer, WriteError},
};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{Money, consultation::Model as Consultation};
use futures_util::future::BoxFuture;
use sea_orm::DbErr;
use uuid::Uuid;

use crate::outbox::WakeUp;
use finish::{Finish, FinishWriter};
use start::{Start, StartWriter};

/// What became of a start.
#[derive(Clone, Debug)]
pub enum Started {
    /// It is in progress.
    Started(Consultation),
    /// The patient is in another one, which is this.
    PatientInConsultation(Consultation),
}

/// What became of a finish.
#[derive(Clone, Debug)]
pub enum Finished {
    /// It is finished, priced, and its payment is pending.
    Finished(Consultation),
    /// There is no such consultation.
    NotFound,
    /// It was finished before, as this.
    AlreadyFinished(Consultation),
    /// The end date breaks a rule; nothing was changed.
    InvalidEndDate(InvalidEndDate),
}

/// Why an end date was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndDate {
    /// At the start or before.
    #[error("must be later than the start of the consultation")]
    NotAfterStart,
    /// Later after the start than a consultation lasts.
    #[error("must be at most {longest} after the start of the consultation, {start}")]
    TooLate {
        /// When the consultation started.
        start: DateTime<Utc>,
        /// How long one lasts at most.
        longest: TimeDelta,
    },
    /// So late that the price has no place in the database.
    #[error("is so late that the price would be above {}", Money::MAX)]
    PriceTooLarge,
}

/// What the clinic has decided about finishing.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The price of an hour.
    pub price_per_hour: Money,
    /// How long a consultation lasts at most.
    pub longest: TimeDelta,
}

/// The domain's verbs, each of which shares its commits with others of its kind.
#[derive(Clone, Debug)]
pub struct Consultations {
    start: WriteCoalescer<StartWriter>,
    finish: WriteCoalescer<FinishWriter>,
}

impl Consultations {
    /// The verbs, and the tasks that write for them, each of which beats one of the `heartbeats`.
    #[must_use]
    pub fn new(
        database: &Database,
        rules: Rules,
        finished: WakeUp,
        changes: Changes,
        [of_starts, of_finishes]: [Heartbeat; 2],
    ) -> (Self, [BoxFuture<'static, ()>; 2]) {
        let (start, starting) = WriteCoalescer::new(StartWriter { database: database.clone() }, of_starts);
        let writer = FinishWriter { database: database.clone(), rules, finished, changes };
        let (finish, finishing) = WriteCoalescer::new(writer, of_finishes);
        (Self { start, finish }, [Box::pin(starting), Box::pin(finishing)])
    }

    /// Starts a consultation, now by the database's clock.
    ///
    /// # Errors
    /// When it could not be written; after [`WriteError::Failed`] it may have been.
    pub async fn start(&self, physician_id: Uuid, patient_id: Uuid) -> Result<Started, WriteError<DbErr>> {
        self.start.write(Start { id: clock::new_id(), physician_id, patient_id }).await
    }

    /// Finishes a consultation at `end_date`, by default now by the database's clock.
    ///
    /// # Errors
    /// When it could not be written; after [`WriteError::Failed`] it may have been.
    pub async fn finish(
        &self,
        consultation_id: Uuid,
        end_date: Option<DateTime<Utc>>,
    ) -> Result<Finished, WriteError<DbErr>> {
        self.finish.write(Finish { consultation_id, end_date, pending_payment_id: clock::new_id() }).await
    }
}
