//! The writers of consultations. They batch: read, apply the [`rules`], store. Callers of one kind share commits.

mod finish;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use chassis::{
    changes::Changes,
    clock,
    database::{Database, is_about_rows},
    health::Heartbeat,
    write_coalescer::{BatchWriter, WriteCoalescer, WriteError},
};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use sea_orm::DbErr;
use uuid::Uuid;

use crate::{
    outbox::WakeUp,
    rules::{self, Finished, Rules, Started},
    store::{self, ByPatient, Start},
};
use finish::{Finish, FinishWriter};

/// Attempts at an insert that lost against a consultation which then ended.
const MAX_ROUNDS: usize = 3;

/// Starts and finishes consultations.
#[derive(Clone, Debug)]
pub struct Consultations {
    start: WriteCoalescer<StartWriter>,
    finish: WriteCoalescer<FinishWriter>,
}

impl Consultations {
    /// Returns the callers' handle and the writers' tasks. Each task beats one of the heartbeats.
    #[must_use]
    pub fn new(
        database: &Database,
        rules: Rules,
        wake_up: WakeUp,
        changes: Changes,
        [of_starts, of_finishes]: [Heartbeat; 2],
    ) -> (Self, [BoxFuture<'static, ()>; 2]) {
        let (start, starting) = WriteCoalescer::new(StartWriter { database: database.clone() }, of_starts);
        let writer = FinishWriter { database: database.clone(), rules, wake_up, changes };
        let (finish, finishing) = WriteCoalescer::new(writer, of_finishes);
        (Self { start, finish }, [Box::pin(starting), Box::pin(finishing)])
    }

    /// Starts a consultation for the caller of this name, now by the database's clock.
    ///
    /// # Errors
    /// When it could not be written; after [`WriteError::Failed`] it may have been.
    pub async fn start(
        &self,
        physician_id: Uuid,
        patient_id: Uuid,
        started_by: Arc<str>,
    ) -> Result<Started, WriteError<DbErr>> {
        self.start.write(Start { id: clock::new_id(), physician_id, patient_id, started_by }).await
    }

    /// Finishes a consultation for the caller of this name at `end_date`, by default now by the database's clock.
    ///
    /// # Errors
    /// When it could not be written; after [`WriteError::Failed`] it may have been.
    pub async fn finish(
        &self,
        consultation_id: Uuid,
        end_date: Option<DateTime<Utc>>,
        finished_by: Arc<str>,
    ) -> Result<Finished, WriteError<DbErr>> {
        let pending_payment_id = clock::new_id();
        self.finish.write(Finish { consultation_id, end_date, pending_payment_id, finished_by }).await
    }
}

#[derive(Debug)]
struct StartWriter {
    database: Database,
}

impl BatchWriter for StartWriter {
    type Row = Start;
    type Answer = Started;
    type Fault = DbErr;

    async fn write(&self, rows: &[Start]) -> Result<Vec<Option<Started>>, DbErr> {
        for _ in 0..MAX_ROUNDS {
            let mut stored = store::insert(&self.database.write, rows).await?;
            if let Some(answers) = start(rows, &stored) {
                return Ok(answers);
            }
            // A separate statement: it sees the consultations against which the others lost.
            // In the session whose commit then waits for the standby: another may lead to another server.
            let transaction = self.database.begin().await?;
            let patients = rows.iter().map(|row| row.patient_id).filter(|id| !stored.contains_key(id)).collect();
            stored.extend(store::find_in_progress(&transaction, patients).await?);
            if start(rows, &stored).is_none() {
                // A start that an earlier attempt committed without an answer may have been finished since.
                stored.extend(store::find_started(&transaction, rows).await?);
            }
            transaction.commit_durably().await?;
            if let Some(answers) = start(rows, &stored) {
                return Ok(answers);
            }
        }
        Err(DbErr::Custom("a consultation was neither inserted nor found in progress".to_owned()))
    }

    fn is_about_rows(fault: &DbErr) -> bool {
        is_about_rows(fault)
    }
}

/// The answer to each row, if the consultation that decides it was found for all.
fn start(rows: &[Start], stored: &ByPatient) -> Option<Vec<Option<Started>>> {
    rows.iter().map(|row| Some(Some(rules::start(row.id, stored.get(&row.patient_id)?)))).collect()
}
