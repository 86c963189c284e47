//! The writers of consultations. They batch: read, apply the [`rules`], store. Callers of one kind share commits.
//!
//! The writer of finishes decides each row by what it read, stores, and looks again at rows that others changed.

mod cancel;
mod spans;
mod start;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use chassis::{
    changes::Changes,
    clock,
    database::{Database, is_about_rows, may_be_done},
    health::Heartbeat,
    metrics::WriterMeter,
    traces::Span,
    write_coalescer::{BatchWriter, WriteCoalescer, WriteError},
};
use chrono::{DateTime, Utc};
use entity::consultation::Model as Consultation;
use futures_util::future::BoxFuture;
use sea_orm::DbErr;
use uuid::Uuid;

use crate::{
    outbox::WakeUp,
    rules::{self, FinishRefusal, Finished, Rules, Started},
    store::{self, Ended, FinishSession, Found, Start},
};
use spans::end_spans;
use start::StartWriter;

/// Starts, finishes and cancels consultations.
#[derive(Clone, Debug)]
pub struct Consultations {
    start: WriteCoalescer<StartWriter>,
    finish: WriteCoalescer<FinishWriter>,
    database: Database,
    changes: Changes,
}

impl Consultations {
    /// Returns the callers' handle and the writers' tasks. Each task beats one of the heartbeats and is measured.
    #[must_use]
    pub fn new(
        database: &Database,
        rules: Rules,
        wake_up: WakeUp,
        changes: Changes,
        [of_starts, of_finishes]: [(Heartbeat, WriterMeter); 2],
    ) -> (Self, [BoxFuture<'static, ()>; 2]) {
        let database = database.clone();
        let writer = StartWriter { database: database.clone(), rules, changes: changes.clone() };
        let (start, starting) = WriteCoalescer::new(writer, of_starts.0, of_starts.1);
        let writer = FinishWriter { database: database.clone(), rules, wake_up, changes: changes.clone() };
        let (finish, finishing) = WriteCoalescer::new(writer, of_finishes.0, of_finishes.1);
        (Self { start, finish, database, changes }, [Box::pin(starting), Box::pin(finishing)])
    }

    /// Starts a consultation for the caller of this name at `start_date`, by default now by the database's clock.
    ///
    /// # Errors
    /// When it could not be written; after [`WriteError::Failed`] it may have been.
    pub async fn start(
        &self,
        physician_id: Uuid,
        patient_id: Uuid,
        start_date: Option<DateTime<Utc>>,
        started_by: Arc<str>,
    ) -> Result<Started, WriteError<DbErr>> {
        let id = start_date.map_or_else(clock::new_id, clock::id_at);
        self.start.write(Start { id, physician_id, patient_id, date: start_date, started_by }).await
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
        let (pending_payment_id, span) = (clock::new_id(), Span::current());
        self.finish.write(Finish { consultation_id, end_date, pending_payment_id, finished_by, span }).await
    }
}

/// A consultation to finish.
#[derive(Clone, Debug)]
struct Finish {
    consultation_id: Uuid,
    end_date: Option<DateTime<Utc>>,
    /// Made before the row is written, so that a repeated write finds its own row.
    pending_payment_id: Uuid,
    finished_by: Arc<str>,
    /// The span of the request.
    span: Span,
}

#[derive(Debug)]
struct FinishWriter {
    database: Database,
    rules: Rules,
    wake_up: WakeUp,
    changes: Changes,
}

impl BatchWriter for FinishWriter {
    type Row = Finish;
    type Answer = Finished;
    type Fault = DbErr;

    async fn write(&self, rows: &[Finish]) -> Result<Vec<Option<Finished>>, DbErr> {
        let session = FinishSession::begin(&self.database).await?;
        let is_locked = session.is_locked();
        let (mut found, mut ended) = (session.find(ids(rows)).await?, Vec::new());
        let answers: Vec<_> = rows.iter().map(|row| finish(row, &mut found, &mut ended, &self.rules)).collect();
        let written = session.commit(&ended).await;
        end_spans(&ended, written.as_deref().ok());
        let written = written?;
        if !written.is_empty() {
            self.wake_up.notify();
            self.changes.publish(&written);
        }
        // The others had ended before, or just now by another session, or one holds a lock on them.
        let is_undecided = |answer: &Finished| match answer {
            Ok(Consultation { id, .. }) => !is_locked && !written.contains(id),
            Err(FinishRefusal::AlreadyFinished(found) | FinishRefusal::Cancelled(found)) => {
                !is_locked && !written.contains(&found.id)
            }
            Err(FinishRefusal::NotFound | FinishRefusal::InvalidEndDate(_)) => false,
        };
        let undecided =
            rows.iter().zip(&answers).filter(|(_, answer)| is_undecided(answer)).map(|(row, _)| row.clone());
        let undecided: Vec<_> = undecided.collect();
        if undecided.is_empty() {
            return Ok(answers.into_iter().map(Some).collect());
        }
        // In the session whose commit then waits for the standby: another may lead to another server.
        let transaction = self.database.begin().await?;
        let mut found = store::find(&transaction, ids(&undecided)).await?;
        transaction.commit_durably().await?;
        // One that is in progress is locked by another session.
        let mut decide = |row: &Finish| {
            (!found.is_in_progress(row.consultation_id)).then(|| finish(row, &mut found, &mut ended, &self.rules))
        };
        let answers = rows.iter().zip(answers);
        Ok(answers.map(|(row, answer)| if is_undecided(&answer) { decide(row) } else { Some(answer) }).collect())
    }

    fn is_about_rows(fault: &DbErr) -> bool {
        is_about_rows(fault)
    }

    fn may_have_written(fault: &DbErr) -> bool {
        may_be_done(fault)
    }

    fn lost_answers(&self) {
        self.wake_up.notify();
        self.changes.publish_missed();
    }
}

fn ids(rows: &[Finish]) -> impl Iterator<Item = Uuid> {
    rows.iter().map(|row| row.consultation_id)
}

/// Of two rows for one consultation the first finishes it.
fn finish(row: &Finish, found: &mut Found, ended: &mut Vec<Ended>, rules: &Rules) -> Finished {
    let Some((consultation, now)) = found.consultations.get_mut(&row.consultation_id) else {
        return Err(FinishRefusal::NotFound);
    };
    // An earlier attempt to write the row was committed, and its answer lost.
    if found.pending_payments.get(&consultation.id) == Some(&row.pending_payment_id) {
        return Ok(consultation.clone());
    }
    let end = rules::finish(consultation, row.end_date, *now, rules)?;
    (consultation.end_date, consultation.price_cents) = (Some(end.date), Some(end.price));
    consultation.finished_by = Some(row.finished_by.as_ref().to_owned());
    found.pending_payments.insert(consultation.id, row.pending_payment_id);
    let Finish { pending_payment_id, finished_by, span, .. } = row.clone();
    let created = span.creating("create pending_payment");
    ended.push(Ended { consultation_id: consultation.id, end, pending_payment_id, finished_by, created });
    Ok(consultation.clone())
}
