//! The redrive: an operator has payments sent now, as if they had never been refused.

use std::time::Duration;

use chassis::database::{Database, is_one_of};
use entity::pending_payment::{Column, Entity as PendingPayments};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QuerySelect, UpdateMany,
    prelude::DateTimeUtc,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType},
};
use uuid::Uuid;

use super::{list::page, now_plus};
use crate::outbox::{policy::LEASE, state::State};

/// A redriven row: its id and that of its consultation.
pub type Redriven = (Uuid, Uuid);

/// Redrives a payment for the caller of this name. Returns false if there is nothing to send. A row under a lease stays
/// with its relay until the lease ends, unless the lease is impossible: the database's clock was set back.
pub async fn redrive(database: &impl ConnectionTrait, appointment_id: Uuid, by: &str) -> Result<bool, DbErr> {
    let of_it = redriven(database.get_database_backend(), by).filter(Column::AppointmentId.eq(appointment_id));
    Ok(of_it.exec(database).await?.rows_affected > 0)
}

/// Redrives at most `limit` parked payments whose ids are after `after`, in the order of their ids. A row that a relay
/// is claiming is skipped: it is sent anyway.
pub async fn redrive_parked(database: &Database, after: Uuid, limit: u64, by: &str) -> Result<Vec<Redriven>, DbErr> {
    let transaction = database.begin().await?;
    // The lock comes before the update, in an order of its own, as in a claim.
    let parked = page(State::Parked.rows(), after, limit)
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
        .select_only()
        .columns([Column::Id, Column::AppointmentId]);
    let parked: Vec<Redriven> = parked.into_tuple().all(&transaction).await?;
    if !parked.is_empty() {
        let backend = transaction.get_database_backend();
        let these = is_one_of(backend, Column::Id, parked.iter().map(|(id, _)| *id));
        redriven(backend, by).filter(these).exec(&transaction).await?;
    }
    transaction.commit().await?;
    Ok(parked)
}

fn redriven(backend: DbBackend, by: &str) -> UpdateMany<PendingPayments> {
    let is_impossible = || Expr::col(Column::LeaseUntil).gt(now_plus(backend, LEASE * 2));
    let processing = Expr::case(is_impossible(), false).finally(Expr::col(Column::Processing));
    let lease_until = Expr::case(is_impossible(), Option::<DateTimeUtc>::None).finally(Expr::col(Column::LeaseUntil));
    PendingPayments::update_many()
        .col_expr(Column::NextAttemptAt, now_plus(backend, Duration::ZERO))
        .col_expr(Column::Processing, processing.into())
        .col_expr(Column::LeaseUntil, lease_until.into())
        .col_expr(Column::Rejections, 0.into())
        .col_expr(Column::ParkedAt, Option::<DateTimeUtc>::None.into())
        .col_expr(Column::RetriedBy, by.into())
        .filter(Column::Finished.eq(false))
}
