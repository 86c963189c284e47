//! Finishing: the end, the price and the pending payment of a batch in one transaction.

mod statements;

use std::collections::HashMap;

use chassis::{
    changes::Changes,
    clock,
    database::{Database, is_about_rows, may_be_done},
    seeded_bug::is_seeded,
    write_coalescer::BatchWriter,
};
use chrono::{DateTime, TimeDelta, Utc};
use entity::consultation::Model as Consultation;
use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use uuid::Uuid;

use super::{Finished, InvalidEndDate, Rules};
use crate::{
    outbox::{
        WakeUp,
        store::{self, Enqueue},
    },
    price::price,
};

/// The end is later than the start: by the precision of both at least.
const SHORTEST: TimeDelta = TimeDelta::milliseconds(1);

/// A consultation to finish.
#[derive(Clone, Debug)]
pub(super) struct Finish {
    pub(super) consultation_id: Uuid,
    /// When it ended; by default now, by the database's clock.
    pub(super) end_date: Option<DateTime<Utc>>,
    /// Made before writing, so that a repeated write recognises itself.
    pub(super) pending_payment_id: Uuid,
}

/// Writes finishes in batches.
#[derive(Debug)]
pub(super) struct FinishWriter {
    pub(super) database: Database,
    pub(super) rules: Rules,
    /// Told after each commit: there is something to deliver.
    pub(super) finished: WakeUp,
    /// Told after each commit which consultations are finished.
    pub(super) changes: Changes,
}

impl BatchWriter for FinishWriter {
    type Row = Finish;
    type Answer = Finished;
    type Fault = DbErr;

    async fn write(&self, rows: &[Finish]) -> Result<Vec<Option<Finished>>, DbErr> {
        if self.database.write.get_database_backend() == DbBackend::Postgres && !is_seeded("outbox-outside-transaction")
        {
            self.in_two_statements(rows).await
        } else {
            let answers = self.in_a_transaction(rows).await?;
            Ok(answers.into_iter().map(Some).collect())
        }
    }

    fn is_about_rows(fault: &DbErr) -> bool {
        is_about_rows(fault)
    }

    fn may_have_written(fault: &DbErr) -> bool {
        may_be_done(fault)
    }

    fn lost_answers(&self) {
        self.finished.notify();
        self.changes.publish_missed();
    }
}

impl FinishWriter {
    /// Without locks between reading and writing, which would take three more round trips. What is read decides
    /// nothing that can change but whether a consultation is in progress, and that the write decides itself.
    async fn in_two_statements(&self, rows: &[Finish]) -> Result<Vec<Option<Finished>>, DbErr> {
        let postgres = &self.database.write;
        let mut batch = Batch::read(postgres, rows).await?;
        let answers = batch.finish(rows, self.rules);
        let written = statements::finish(postgres, &batch.finished).await?;
        self.tell(written.iter().copied());
        // Somebody else was faster with the others, or holds a lock on them; or they were finished before.
        let is_undecided =
            |id: Uuid| !written.contains(&id) && batch.stored.get(&id).is_some_and(|found| found.end_date.is_some());
        let undecided: Vec<_> = rows.iter().filter(|row| is_undecided(row.consultation_id)).cloned().collect();
        if undecided.is_empty() {
            return Ok(answers.into_iter().map(Some).collect());
        }
        // In the session whose commit then waits for the standby: another may lead to another server.
        let transaction = self.database.begin().await?;
        let found = Batch::read(&transaction, &undecided).await?;
        transaction.commit_durably().await?;
        let decide = |(row, answer): (&Finish, _)| {
            if is_undecided(row.consultation_id) { found.answer(row) } else { Some(answer) }
        };
        Ok(rows.iter().zip(answers).map(decide).collect())
    }

    /// SQLite has locked the whole database when a transaction that writes begins.
    async fn in_a_transaction(&self, rows: &[Finish]) -> Result<Vec<Finished>, DbErr> {
        let transaction = self.database.begin().await?;
        let mut batch = Batch::read(&transaction, rows).await?;
        let answers = batch.finish(rows, self.rules);
        if !batch.finished.is_empty() {
            statements::update(&transaction, &batch.finished).await?;
            let payments: Vec<_> = batch.finished.iter().map(|(payment, _)| *payment).collect();
            if is_seeded("outbox-outside-transaction") {
                transaction.commit().await?;
                store::enqueue(&self.database.write, &payments).await?;
                return Ok(answers);
            }
            store::enqueue(&transaction, &payments).await?;
        }
        transaction.commit().await?;
        self.tell(batch.finished.iter().map(|(payment, _)| payment.appointment_id));
        Ok(answers)
    }

    fn tell(&self, finished: impl Iterator<Item = Uuid>) {
        let ids: Vec<_> = finished.collect();
        if !ids.is_empty() {
            self.finished.notify();
            self.changes.publish(&ids);
        }
    }
}

/// The consultations of a batch.
struct Batch {
    stored: HashMap<Uuid, Consultation>,
    /// By the database's clock; none if nothing was found.
    now: Option<DateTime<Utc>>,
    /// The pending payments of those that are finished: they tell who finished them.
    pending_payments: HashMap<Uuid, Uuid>,
    /// What this batch finishes.
    finished: Vec<(Enqueue, DateTime<Utc>)>,
}

impl Batch {
    async fn read(database: &impl ConnectionTrait, rows: &[Finish]) -> Result<Self, DbErr> {
        let (stored, now) = statements::find(database, rows).await?;
        let finished = stored.values().filter(|consultation| consultation.end_date.is_some()).map(|found| found.id);
        let pending_payments = store::pending_payment_ids(database, finished.collect()).await?;
        let now = if is_seeded("process-clock") { Some(clock::now()) } else { now };
        Ok(Self { stored, now, pending_payments, finished: Vec::new() })
    }

    fn finish(&mut self, rows: &[Finish], rules: Rules) -> Vec<Finished> {
        rows.iter().map(|row| self.finish_one(row, rules)).collect()
    }

    /// The rules. Of two rows for one consultation the first finishes it.
    fn finish_one(&mut self, row: &Finish, Rules { price_per_hour, longest }: Rules) -> Finished {
        if let Some(answer) = self.answer(row) {
            return answer;
        }
        let Some(consultation) = self.stored.get_mut(&row.consultation_id) else { return Finished::NotFound };
        // The clock may have been set back since the start.
        let shortest = consultation.start_date + SHORTEST;
        let end_date = row.end_date.unwrap_or_else(|| self.now.map_or(shortest, |now| now.max(shortest)));
        if end_date <= consultation.start_date {
            return Finished::InvalidEndDate(InvalidEndDate::NotAfterStart);
        }
        // Nobody consults for so long: the end is a mistake, or the finish was forgotten and now is not the end.
        let (start, duration) = (consultation.start_date, end_date - consultation.start_date);
        if duration > longest {
            return Finished::InvalidEndDate(InvalidEndDate::TooLate { start, longest });
        }
        let Ok(price) = price(duration, price_per_hour) else {
            return Finished::InvalidEndDate(InvalidEndDate::PriceTooLarge);
        };
        (consultation.end_date, consultation.price_cents) = (Some(end_date), Some(price));
        let payment = Enqueue { id: row.pending_payment_id, appointment_id: consultation.id, total_price: price };
        self.pending_payments.insert(consultation.id, payment.id);
        self.finished.push((payment, end_date));
        Finished::Finished(consultation.clone())
    }

    /// What is to be said of a consultation that is not in progress, if it is not.
    fn answer(&self, row: &Finish) -> Option<Finished> {
        let Some(consultation) = self.stored.get(&row.consultation_id) else { return Some(Finished::NotFound) };
        consultation.end_date?;
        let by_this_row = self.pending_payments.get(&consultation.id) == Some(&row.pending_payment_id);
        let answer = if by_this_row { Finished::Finished } else { Finished::AlreadyFinished };
        Some(answer(consultation.clone()))
    }
}
