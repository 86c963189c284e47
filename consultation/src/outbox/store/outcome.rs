//! Outcomes: a failure is written only under the lease it happened in, a success whoever saw it.

use std::time::Duration;

use chassis::database::now_plus;
use entity::pending_payment::{Column, Entity as PendingPayments};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, UpdateMany,
    prelude::DateTimeUtc,
    sea_query::{Expr, ExprTrait, Func},
};
use uuid::Uuid;

use super::Lease;

/// The width of the column.
const MAX_ERROR_LENGTH: usize = 500;

/// Finance has confirmed the payment. Accepted whatever has become of the lease. Whether it was news.
///
/// # Errors
/// When the database fails.
pub async fn confirm(database: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    let now = now_plus(database.get_database_backend(), Duration::ZERO);
    let confirmed = unleased(PendingPayments::update_many())
        .col_expr(Column::Finished, true.into())
        .col_expr(Column::FinishedAt, now)
        .col_expr(Column::LastError, Option::<String>::None.into())
        .filter(Column::Id.eq(id))
        .filter(Column::Finished.eq(false));
    changed(database, confirmed).await
}

/// The destination failed: the row is due again after `delay`. False if the lease is stale.
///
/// # Errors
/// When the database fails.
pub async fn postpone(
    database: &impl ConnectionTrait,
    lease: &Lease,
    delay: Duration,
    error: &str,
) -> Result<bool, DbErr> {
    changed(database, due_after(database, lease, delay, error)).await
}

/// Finance refused the row: it is parked, and due again after `delay`. False if the lease is stale.
///
/// # Errors
/// When the database fails.
pub async fn park(database: &impl ConnectionTrait, lease: &Lease, delay: Duration, error: &str) -> Result<bool, DbErr> {
    let now = now_plus(database.get_database_backend(), Duration::ZERO);
    let parked = due_after(database, lease, delay, error)
        .col_expr(Column::Rejections, Expr::col(Column::Rejections).add(1))
        .col_expr(Column::ParkedAt, Func::coalesce([Expr::col(Column::ParkedAt), now]).into());
    changed(database, parked).await
}

/// The row was claimed but not sent: it is given back with its try. False if the lease is stale.
///
/// # Errors
/// When the database fails.
pub async fn release(database: &impl ConnectionTrait, lease: &Lease) -> Result<bool, DbErr> {
    let released = under_lease(lease).col_expr(Column::Tries, Expr::col(Column::Tries).sub(1));
    changed(database, released).await
}

/// An operator wants a payment sent now, as if it had never been refused. False if there is nothing to
/// send. A row that is being sent stays with its relay until its lease ends.
///
/// # Errors
/// When the database fails.
pub async fn redrive(database: &impl ConnectionTrait, appointment_id: Uuid) -> Result<bool, DbErr> {
    let now = now_plus(database.get_database_backend(), Duration::ZERO);
    let redriven = PendingPayments::update_many()
        .col_expr(Column::NextAttemptAt, now)
        .col_expr(Column::Rejections, 0.into())
        .col_expr(Column::ParkedAt, Option::<DateTimeUtc>::None.into())
        .filter(Column::AppointmentId.eq(appointment_id))
        .filter(Column::Finished.eq(false));
    changed(database, redriven).await
}

fn due_after(
    database: &impl ConnectionTrait,
    lease: &Lease,
    delay: Duration,
    error: &str,
) -> UpdateMany<PendingPayments> {
    under_lease(lease)
        .col_expr(Column::NextAttemptAt, now_plus(database.get_database_backend(), delay))
        .col_expr(Column::LastError, error.chars().take(MAX_ERROR_LENGTH).collect::<String>().into())
}

/// Ends the lease, if it is still this one: a stale loser must not free or delay the next holder's row.
fn under_lease(lease: &Lease) -> UpdateMany<PendingPayments> {
    unleased(PendingPayments::update_many())
        .filter(Column::Id.eq(lease.id))
        .filter(Column::ClaimSeq.eq(lease.claim_seq))
        .filter(Column::Processing.eq(true))
        .filter(Column::Finished.eq(false))
}

fn unleased(update: UpdateMany<PendingPayments>) -> UpdateMany<PendingPayments> {
    update.col_expr(Column::Processing, false.into()).col_expr(Column::LeaseUntil, Option::<DateTimeUtc>::None.into())
}

async fn changed(database: &impl ConnectionTrait, update: UpdateMany<PendingPayments>) -> Result<bool, DbErr> {
    Ok(update.exec(database).await?.rows_affected > 0)
}
