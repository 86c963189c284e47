//! The redrive: an operator has payments sent now, as if they had never been refused.

use std::time::Duration;

use chassis::database::{Database, is_one_of};
use entity::pending_payment::{Column, Entity as PendingPayments};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, UpdateMany,
    prelude::DateTimeUtc,
    sea_query::{Expr, ExprTrait, Func, LockBehavior, LockType},
};
use uuid::Uuid;

use super::{list::still, now_plus};
use crate::outbox::{policy::LEASE, state::State};

/// The result of a redrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redriven {
    /// The payment is due.
    Due,
    /// A relay is sending the payment. If finance refuses it, it is parked again.
    Processing,
    /// The consultation has no undelivered payment.
    NothingToSend,
}

/// Redrives a payment for the caller of this name. A row under a lease stays with its relay until the lease ends, unless
/// the lease is impossible: the database's clock was set back.
pub async fn redrive(database: &impl ConnectionTrait, appointment_id: Uuid, by: &str) -> Result<Redriven, DbErr> {
    let of_it = redriven(database.get_database_backend(), by).filter(Column::AppointmentId.eq(appointment_id));
    let rows = of_it.exec_with_returning(database).await?;
    Ok(match rows.first() {
        None => Redriven::NothingToSend,
        Some(row) if row.processing => Redriven::Processing,
        Some(_) => Redriven::Due,
    })
}

/// Redrives those of these rows that are parked. Returns the ids of their consultations. A row that a relay is claiming
/// is skipped: it is sent anyway. The ids come from outside the transaction, which holds its locks only while it writes.
pub async fn redrive_parked(database: &Database, ids: &[Uuid], by: &str) -> Result<Vec<Uuid>, DbErr> {
    let transaction = database.begin().await?;
    let backend = transaction.get_database_backend();
    // The lock comes before the update, in an order of its own, as in a claim.
    let parked = still(backend, Some(State::Parked), ids)
        .order_by_asc(Column::Id)
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
        .select_only()
        .columns([Column::Id, Column::AppointmentId]);
    let parked: Vec<(Uuid, Uuid)> = parked.into_tuple().all(&transaction).await?;
    let (ids, consultations): (Vec<_>, Vec<_>) = parked.into_iter().unzip();
    if !ids.is_empty() {
        redriven(backend, by).filter(is_one_of(backend, Column::Id, ids)).exec(&transaction).await?;
    }
    transaction.commit().await?;
    Ok(consultations)
}

fn redriven(backend: DbBackend, by: &str) -> UpdateMany<PendingPayments> {
    // Not as CASE, in which Citus takes no clock. What is processed has a lease, so neither becomes NULL.
    let impossible = || now_plus(backend, LEASE * 2);
    let processing = Expr::col(Column::Processing).and(Expr::col(Column::LeaseUntil).lt(impossible()));
    let latest = Func::greatest([Expr::col(Column::LeaseUntil), impossible()]);
    let lease_until = Func::cust("NULLIF").args([Expr::col(Column::LeaseUntil), latest.into()]);
    PendingPayments::update_many()
        .col_expr(Column::NextAttemptAt, now_plus(backend, Duration::ZERO))
        .col_expr(Column::Processing, processing)
        .col_expr(Column::LeaseUntil, lease_until.into())
        .col_expr(Column::Rejections, 0.into())
        .col_expr(Column::ParkedAt, Option::<DateTimeUtc>::None.into())
        .col_expr(Column::RetriedBy, by.into())
        .filter(Column::Finished.eq(false))
}
