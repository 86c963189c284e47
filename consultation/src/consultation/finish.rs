//! Finishing: the end, the price and the pending payment of a batch in one transaction.

use std::collections::HashMap;

use chassis::{changes::Changes, database::Database, seeded_bug::is_seeded, write_coalescer::BatchWriter};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    Money,
    consultation::{Column, Entity as Consultations, Model as Consultation},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, IntoIden, Query, TableRef, ValueTuple},
};
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
        let transaction = self.database.begin().await?;
        let mut batch = Batch::read(&transaction, rows).await?;
        let answers = rows.iter().map(|row| batch.finish(row, self.price_per_hour)).collect();
        batch.write(&transaction).await?;
        transaction.commit().await?;
        if is_seeded("outbox-outside-transaction") {
            batch.enqueue(&self.database.write).await?;
        }
        if !batch.finished.is_empty() {
            self.finished.ring();
            let ids: Vec<_> = batch.finished.iter().map(|(payment, _)| payment.appointment_id).collect();
            self.changes.publish(&ids);
        }
        Ok(answers)
    }
}

/// The consultations of a batch, which nobody else can change until the transaction ends.
struct Batch {
    stored: HashMap<Uuid, Consultation>,
    /// The pending payments of those that are finished: they tell who finished them.
    pending_payments: HashMap<Uuid, Uuid>,
    /// What this batch finishes.
    finished: Vec<(Enqueue, DateTime<Utc>)>,
}

impl Batch {
    async fn read(transaction: &impl ConnectionTrait, rows: &[Finish]) -> Result<Self, DbErr> {
        let stored = lock(transaction, rows).await?;
        let finished = stored.values().filter(|consultation| consultation.end_date.is_some()).map(|found| found.id);
        let pending_payments = store::pending_payment_ids(transaction, finished.collect()).await?;
        Ok(Self { stored, pending_payments, finished: Vec::new() })
    }

    /// The rules. Of two rows for one consultation the first finishes it.
    fn finish(&mut self, row: &Finish, price_per_hour: Money) -> Finished {
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

    async fn write(&self, transaction: &impl ConnectionTrait) -> Result<(), DbErr> {
        if self.finished.is_empty() {
            return Ok(());
        }
        update(transaction, &self.finished).await?;
        if is_seeded("outbox-outside-transaction") { Ok(()) } else { self.enqueue(transaction).await }
    }

    async fn enqueue(&self, transaction: &impl ConnectionTrait) -> Result<(), DbErr> {
        let payments: Vec<_> = self.finished.iter().map(|(payment, _)| *payment).collect();
        store::enqueue(transaction, &payments).await
    }
}

/// Reads the consultations and keeps others from finishing them. In the order of their ids, which is
/// the same in every process: batches cannot deadlock. (SQLite has locked the database already.)
async fn lock(transaction: &impl ConnectionTrait, rows: &[Finish]) -> Result<HashMap<Uuid, Consultation>, DbErr> {
    let locked = Consultations::find()
        .filter(Column::Id.is_in(rows.iter().map(|row| row.consultation_id)))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(transaction)
        .await?;
    Ok(locked.into_iter().map(|consultation| (consultation.id, consultation)).collect())
}

/// Writes end and price of all in one statement.
async fn update(transaction: &impl ConnectionTrait, finished: &[(Enqueue, DateTime<Utc>)]) -> Result<(), DbErr> {
    let rows = finished.iter().map(|(payment, end_date)| {
        ValueTuple::Three(payment.appointment_id.into(), (*end_date).into(), payment.total_price.cents().into())
    });
    // Both databases call the columns of a VALUES list so.
    let value = |column: &'static str| Expr::col(("finished", column));
    let update = Query::update()
        .table(Consultations)
        .from(TableRef::ValuesList(rows.collect(), "finished".into_iden()))
        .value(Column::EndDate, value("column2"))
        .value(Column::PriceCents, value("column3"))
        .and_where(Expr::col((Consultations, Column::Id)).eq(value("column1")))
        .to_owned();
    let updated = transaction.execute(&update).await?.rows_affected();
    match usize::try_from(updated) {
        Ok(updated) if updated == finished.len() => Ok(()),
        _ => Err(DbErr::Custom(format!("{updated} consultations were updated instead of {}", finished.len()))),
    }
}
