//! Finishing: the end, the price and the pending payment of a batch in one transaction.

mod statements;

use std::collections::HashMap;

use chassis::{changes::Changes, database::Database, seeded_bug::is_seeded, write_coalescer::BatchWriter};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{Money, consultation::Model as Consultation};
use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use uuid::Uuid;

use super::{Finished, InvalidEndDate};
use crate::{
    outbox::{
        WakeUp,
        store::{self, Enqueue},
    },
    price::price,
};

/// The end is later than the start: by the precision of both at least.
const SHORTEST: TimeDelta = TimeDelta::milliseconds(1);
/// How often a batch is begun anew of which somebody else has finished a consultation just then. After the first
/// time it is found finished.
const MAX_ROUNDS: usize = 3;

/// A consultation to finish.
#[derive(Clone, Debug)]
pub(super) struct Finish {
    pub(super) consultation_id: Uuid,
    /// When it ended; by default now.
    pub(super) end_date: Option<DateTime<Utc>>,
    pub(super) now: DateTime<Utc>,
    /// Made before writing, so that a repeated write recognises itself.
    pub(super) pending_payment_id: Uuid,
}

/// Writes finishes in batches.
#[derive(Debug)]
pub(super) struct FinishWriter {
    pub(super) database: Database,
    pub(super) price_per_hour: Money,
    /// Told after each commit: there is something to deliver.
    pub(super) finished: WakeUp,
    /// Told after each commit which consultations are finished.
    pub(super) changes: Changes,
}

impl BatchWriter for FinishWriter {
    type Row = Finish;
    type Answer = Finished;
    type Fault = DbErr;

    async fn write(&self, rows: &[Finish]) -> Result<Vec<Finished>, DbErr> {
        for _ in 0..MAX_ROUNDS {
            let (answers, batch) = self.attempt(rows).await?;
            if !batch.finished.is_empty() {
                self.finished.ring();
                let ids: Vec<_> = batch.finished.iter().map(|(payment, _)| payment.appointment_id).collect();
                self.changes.publish(&ids);
            }
            if let Some(answers) = answers {
                return Ok(answers);
            }
        }
        Err(DbErr::Custom("a consultation was neither finished nor found finished".to_owned()))
    }
}

impl FinishWriter {
    /// What became of the rows, unless somebody else was faster with one of them; and what was finished.
    async fn attempt(&self, rows: &[Finish]) -> Result<(Option<Vec<Finished>>, Batch), DbErr> {
        if self.database.write.get_database_backend() == DbBackend::Postgres && !is_seeded("outbox-outside-transaction")
        {
            self.in_two_statements(rows).await
        } else {
            self.in_a_transaction(rows).await
        }
    }

    /// Without locks between reading and writing, which would take three more round trips. What is read decides
    /// nothing that can change but whether a consultation is in progress, and that the write decides itself.
    async fn in_two_statements(&self, rows: &[Finish]) -> Result<(Option<Vec<Finished>>, Batch), DbErr> {
        let postgres = &self.database.write;
        let mut batch = Batch::read(postgres, rows).await?;
        let answers = batch.finish(rows, self.price_per_hour);
        let is_written = statements::finish(postgres, &batch.finished).await? == batch.finished.len();
        Ok((is_written.then_some(answers), batch))
    }

    /// SQLite has locked the whole database when a transaction that writes begins.
    async fn in_a_transaction(&self, rows: &[Finish]) -> Result<(Option<Vec<Finished>>, Batch), DbErr> {
        let transaction = self.database.begin().await?;
        let mut batch = Batch::read(&transaction, rows).await?;
        let answers = batch.finish(rows, self.price_per_hour);
        if !batch.finished.is_empty() {
            statements::update(&transaction, &batch.finished).await?;
            let payments: Vec<_> = batch.finished.iter().map(|(payment, _)| *payment).collect();
            if is_seeded("outbox-outside-transaction") {
                transaction.commit().await?;
                store::enqueue(&self.database.write, &payments).await?;
                return Ok((Some(answers), batch));
            }
            store::enqueue(&transaction, &payments).await?;
        }
        transaction.commit().await?;
        Ok((Some(answers), batch))
    }
}

/// The consultations of a batch.
struct Batch {
    stored: HashMap<Uuid, Consultation>,
    /// The pending payments of those that are finished: they tell who finished them.
    pending_payments: HashMap<Uuid, Uuid>,
    /// What this batch finishes.
    finished: Vec<(Enqueue, DateTime<Utc>)>,
}

impl Batch {
    async fn read(database: &impl ConnectionTrait, rows: &[Finish]) -> Result<Self, DbErr> {
        let stored = statements::find(database, rows).await?;
        let finished = stored.values().filter(|consultation| consultation.end_date.is_some()).map(|found| found.id);
        let pending_payments = store::pending_payment_ids(database, finished.collect()).await?;
        Ok(Self { stored, pending_payments, finished: Vec::new() })
    }

    fn finish(&mut self, rows: &[Finish], price_per_hour: Money) -> Vec<Finished> {
        rows.iter().map(|row| self.finish_one(row, price_per_hour)).collect()
    }

    /// The rules. Of two rows for one consultation the first finishes it.
    fn finish_one(&mut self, row: &Finish, price_per_hour: Money) -> Finished {
        let Some(consultation) = self.stored.get_mut(&row.consultation_id) else { return Finished::NotFound };
        if consultation.end_date.is_some() {
            let by_this_row = self.pending_payments.get(&consultation.id) == Some(&row.pending_payment_id);
            let answer = if by_this_row { Finished::Finished } else { Finished::AlreadyFinished };
            return answer(consultation.clone());
        }
        // The clock of the replica that started it may be ahead of this one's.
        let now = Ord::max(row.now, consultation.start_date + SHORTEST);
        let end_date = row.end_date.unwrap_or(now);
        if end_date <= consultation.start_date {
            return Finished::InvalidEndDate(InvalidEndDate::NotAfterStart);
        }
        let Ok(price) = price(end_date - consultation.start_date, price_per_hour) else {
            return Finished::InvalidEndDate(InvalidEndDate::PriceTooLarge);
        };
        (consultation.end_date, consultation.price_cents) = (Some(end_date), Some(price));
        let payment = Enqueue { id: row.pending_payment_id, appointment_id: consultation.id, total_price: price };
        self.pending_payments.insert(consultation.id, payment.id);
        self.finished.push((payment, end_date));
        Finished::Finished(consultation.clone())
    }
}
