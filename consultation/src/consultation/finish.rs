//! Finishing: the end, the price and the pending payment of a batch in one transaction.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use chassis::{database::Database, write_coalescer::BatchWriter};
use chrono::{DateTime, Utc};
use entity::{
    Money,
    consultation::{Column, Entity as Consultations, Model as Consultation},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, IntoIden, Query, TableRef, ValueTuple},
};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{Finished, InvalidEndDate};
use crate::{
    outbox::store::{self, Enqueue},
    price::price,
};

/// A consultation to finish.
#[derive(Clone, Debug)]
pub(super) struct Finish {
    pub(super) consultation_id: Uuid,
    pub(super) end_date: DateTime<Utc>,
    /// Made before writing, so that a repeated write recognises itself.
    pub(super) pending_payment_id: Uuid,
}

/// Writes finishes in batches.
#[derive(Debug)]
pub(super) struct FinishWriter {
    pub(super) database: Database,
    pub(super) price_per_hour: Money,
    /// Told after each commit: there is something to deliver.
    pub(super) finished: Arc<Notify>,
}

impl BatchWriter for FinishWriter {
    type Row = Finish;
    type Answer = Finished;
    type Fault = DbErr;

    async fn write(&self, rows: &[Finish]) -> Result<Vec<Finished>, DbErr> {
        let transaction = self.database.begin().await?;
        let mut stored = lock(&transaction, rows).await?;
        let mut written_by = store::pending_payment_ids(&transaction, finished_ids(&stored)).await?;
        let mut priced = Vec::new();
        let answers: Vec<_> = rows
            .iter()
            .map(|row| match stored.entry(row.consultation_id) {
                Entry::Vacant(_) => Finished::NotFound,
                Entry::Occupied(mut entry) => {
                    let answer = self.finish(row, entry.get(), &written_by);
                    if let (Finished::Finished(finished), Entry::Vacant(new)) =
                        (&answer, written_by.entry(row.consultation_id))
                    {
                        new.insert(row.pending_payment_id);
                        entry.insert(finished.clone());
                        priced.push((row.pending_payment_id, finished.clone()));
                    }
                    answer
                }
            })
            .collect();
        if !priced.is_empty() {
            update(&transaction, &priced).await?;
            store::enqueue(&transaction, &priced.iter().filter_map(enqueue).collect::<Vec<_>>()).await?;
        }
        transaction.commit().await?;
        if !priced.is_empty() {
            self.finished.notify_one();
        }
        Ok(answers)
    }
}

impl FinishWriter {
    /// The rules, on a consultation that nobody else can change now.
    fn finish(&self, row: &Finish, stored: &Consultation, written_by: &HashMap<Uuid, Uuid>) -> Finished {
        if stored.end_date.is_some() {
            let by_this_row = written_by.get(&stored.id) == Some(&row.pending_payment_id);
            return if by_this_row {
                Finished::Finished(stored.clone())
            } else {
                Finished::AlreadyFinished(stored.clone())
            };
        }
        if row.end_date <= stored.start_date {
            return Finished::InvalidEndDate(InvalidEndDate::NotAfterStart);
        }
        match price(row.end_date - stored.start_date, self.price_per_hour) {
            Err(_) => Finished::InvalidEndDate(InvalidEndDate::PriceTooLarge),
            Ok(price) => Finished::Finished(Consultation {
                end_date: Some(row.end_date),
                price_cents: Some(price),
                ..stored.clone()
            }),
        }
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

fn finished_ids(stored: &HashMap<Uuid, Consultation>) -> Vec<Uuid> {
    stored.values().filter(|consultation| consultation.end_date.is_some()).map(|consultation| consultation.id).collect()
}

fn enqueue((id, finished): &(Uuid, Consultation)) -> Option<Enqueue> {
    Some(Enqueue { id: *id, appointment_id: finished.id, total_price: finished.price_cents? })
}

/// Writes end and price of all in one statement.
async fn update(transaction: &impl ConnectionTrait, priced: &[(Uuid, Consultation)]) -> Result<(), DbErr> {
    let rows =
        priced.iter().map(|(_, c)| ValueTuple::Three(c.id.into(), c.end_date.into(), c.price_cents.into())).collect();
    // Both databases call the columns of a VALUES list so.
    let value = |column: &'static str| Expr::col(("finished", column));
    let update = Query::update()
        .table(Consultations)
        .from(TableRef::ValuesList(rows, "finished".into_iden()))
        .value(Column::EndDate, value("column2"))
        .value(Column::PriceCents, value("column3"))
        .and_where(Expr::col((Consultations, Column::Id)).eq(value("column1")))
        .to_owned();
    let updated = transaction.execute(&update).await?.rows_affected();
    match usize::try_from(updated) {
        Ok(updated) if updated == priced.len() => Ok(()),
        _ => Err(DbErr::Custom(format!("{updated} consultations were updated instead of {}", priced.len()))),
    }
}
