//! The redelivery: a payment that finance confirmed and lost, as by the restore of an older backup, is on its way again.
//! How the delivery before ended is recorded.

use std::{collections::HashMap, time::Duration};

use chassis::{
    clock,
    database::{Database, is_one_of},
};
use entity::{
    Money,
    pending_payment::{Column, Entity as PendingPayments, Model as PendingPayment},
    redelivery,
};
use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    prelude::DateTimeUtc,
    sea_query::{Expr, ExprTrait, LockType, OnConflict, Query},
};
use uuid::Uuid;

use super::now_plus;

/// A payment that finance lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Id of the consultation.
    pub consultation: Uuid,
    /// Price of the consultation.
    pub price: Money,
    /// The redeliveries that its row had counted before finance was asked. `None`: it had no row.
    pub redeliveries: Option<i32>,
}

/// A payment that is on its way again, and its row before. `None`: it had no row.
type Sent = (Uuid, Option<PendingPayment>);

/// Puts these payments on their way again, in one transaction with the records of it. Returns the consultations of those
/// that are on their way by this call. A row that another command has put on its way since finance was asked is left
/// alone: finance may have its payment by now.
pub async fn redeliver(database: &Database, lost: &[Lost], by: &str) -> Result<Vec<Uuid>, DbErr> {
    let transaction = database.begin().await?;
    let mut sent = again(&transaction, lost).await?;
    sent.extend(anew(&transaction, lost).await?);
    if !sent.is_empty() {
        record(&transaction, &sent, by).await?;
    }
    transaction.commit().await?;
    Ok(sent.into_iter().map(|(consultation, _)| consultation).collect())
}

/// The rows that are still as they were.
async fn again(transaction: &impl ConnectionTrait, lost: &[Lost]) -> Result<Vec<Sent>, DbErr> {
    let backend = transaction.get_database_backend();
    let seen: HashMap<_, _> = lost.iter().filter_map(|lost| Some((lost.consultation, lost.redeliveries?))).collect();
    // The locks come in one order, before the update.
    let rows = PendingPayments::find()
        .filter(is_one_of(backend, Column::AppointmentId, seen.keys().copied()))
        .order_by_asc(Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(transaction)
        .await?;
    let is_as_seen = |row: &PendingPayment| row.finished && seen.get(&row.appointment_id) == Some(&row.redeliveries);
    let rows: Vec<_> = rows.into_iter().filter(is_as_seen).collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    PendingPayments::update_many()
        .col_expr(Column::Finished, false.into())
        .col_expr(Column::FinishedAt, Option::<DateTimeUtc>::None.into())
        .col_expr(Column::NextAttemptAt, now_plus(backend, Duration::ZERO))
        .col_expr(Column::Rejections, 0.into())
        .col_expr(Column::ParkedAt, Option::<DateTimeUtc>::None.into())
        .col_expr(Column::Redeliveries, Expr::col(Column::Redeliveries).add(1))
        .filter(is_one_of(backend, Column::Id, rows.iter().map(|row| row.id)))
        .exec(transaction)
        .await?;
    Ok(rows.into_iter().map(|row| (row.appointment_id, Some(row))).collect())
}

/// New rows for those without one: their delivered row was deleted after the retention time, maybe since finance was
/// asked.
async fn anew(transaction: &impl ConnectionTrait, lost: &[Lost]) -> Result<Vec<Sent>, DbErr> {
    // On SQLite the trigger that protects undelivered rows fires before ON CONFLICT is asked.
    let there =
        is_one_of(transaction.get_database_backend(), Column::AppointmentId, lost.iter().map(|lost| lost.consultation));
    let there = PendingPayments::find().filter(there).all(transaction).await?;
    let mut inserted = Vec::new();
    for lost in lost.iter().filter(|lost| !there.iter().any(|row| row.appointment_id == lost.consultation)) {
        if insert(transaction, lost).await? {
            inserted.push((lost.consultation, None));
        }
    }
    Ok(inserted)
}

/// Returns whether nobody else has inserted it meanwhile.
async fn insert(transaction: &impl ConnectionTrait, lost: &Lost) -> Result<bool, DbErr> {
    use Column::{AppointmentId, CreatedAt, Id, NextAttemptAt, Redeliveries, TotalPriceCents};
    let now = || now_plus(transaction.get_database_backend(), Duration::ZERO);
    let (id, price) = (clock::new_id().into(), lost.price.cents().into());
    let insert = Query::insert()
        .into_table(PendingPayments)
        .columns([Id, AppointmentId, TotalPriceCents, NextAttemptAt, CreatedAt, Redeliveries])
        .values_panic([id, lost.consultation.into(), price, now(), now(), 1.into()])
        .on_conflict(OnConflict::column(AppointmentId).do_nothing().to_owned())
        .to_owned();
    Ok(transaction.execute(&insert).await?.rows_affected() > 0)
}

async fn record(transaction: &impl ConnectionTrait, sent: &[Sent], by: &str) -> Result<(), DbErr> {
    use redelivery::Column::{
        AppointmentId, ConfirmedAt, Id, RequestedAt, RequestedBy, SettleReason, SettledAt, SettledBy, SettledPriceCents,
    };
    let delivery = [Id, AppointmentId, ConfirmedAt, RequestedAt, RequestedBy];
    let settlement = [SettledPriceCents, SettleReason, SettledBy, SettledAt];
    let columns = delivery.into_iter().chain(settlement);
    let mut insert = Query::insert().into_table(redelivery::Entity).columns(columns).to_owned();
    for (consultation, before) in sent {
        let now = now_plus(transaction.get_database_backend(), Duration::ZERO);
        let before = before.as_ref();
        insert.values_panic([
            clock::new_id().into(),
            (*consultation).into(),
            before.and_then(|row| row.finished_at).into(),
            now,
            by.into(),
            before.and_then(|row| row.settled_price_cents).map(Money::cents).into(),
            before.and_then(|row| row.settle_reason.clone()).into(),
            before.and_then(|row| row.settled_by.clone()).into(),
            before.and_then(|row| row.settled_at).into(),
        ]);
    }
    transaction.execute(&insert).await.map(drop)
}
