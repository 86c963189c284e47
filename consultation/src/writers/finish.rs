//! The writer of finishes. It decides each row by what it read, stores, and looks again at rows that others changed.

use std::sync::Arc;

use chassis::{
    changes::Changes,
    database::{Database, is_about_rows, may_be_done},
    write_coalescer::BatchWriter,
};
use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use uuid::Uuid;

use crate::{
    outbox::WakeUp,
    rules::{self, FinishRefusal, Finished, Rules},
    store::{self, Ended, FinishSession, Found},
};

/// A consultation to finish.
#[derive(Clone, Debug)]
pub(super) struct Finish {
    pub(super) consultation_id: Uuid,
    pub(super) end_date: Option<DateTime<Utc>>,
    /// Made before the row is written, so that a repeated write finds its own row.
    pub(super) pending_payment_id: Uuid,
    pub(super) finished_by: Arc<str>,
}

#[derive(Debug)]
pub(super) struct FinishWriter {
    pub(super) database: Database,
    pub(super) rules: Rules,
    pub(super) wake_up: WakeUp,
    pub(super) changes: Changes,
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
        let written = session.commit(&ended).await?;
        if !written.is_empty() {
            self.wake_up.notify();
            self.changes.publish(&written);
        }
        // The others were finished before, or just now by another session, or one holds a lock on them.
        let is_undecided = |answer: &Finished| match answer {
            Ok(found) | Err(FinishRefusal::AlreadyFinished(found)) => !is_locked && !written.contains(&found.id),
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
    let Finish { pending_payment_id, finished_by, .. } = row.clone();
    ended.push(Ended { consultation_id: consultation.id, end, pending_payment_id, finished_by });
    Ok(consultation.clone())
}
