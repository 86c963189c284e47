//! The settlement of a conflict: an operator lets finance's recorded amount stand, and the row is finished.

use std::time::Duration;

use entity::{
    Money,
    pending_payment::{Column, Entity as PendingPayments, Model as PendingPayment},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Value,
    prelude::DateTimeUtc,
    sea_query::{Expr, ExprTrait, Func},
};
use uuid::Uuid;

use super::now_plus;

/// Settles a parked payment with the amount that finance has recorded. `None`: it is not parked any more.
///
/// A relay may be sending the row: finance refuses that send as those before, and the stale lease changes nothing.
pub async fn settle(
    database: &impl ConnectionTrait,
    appointment_id: Uuid,
    recorded: Money,
    reason: &str,
    by: &str,
) -> Result<Option<PendingPayment>, DbErr> {
    let now = || now_plus(database.get_database_backend(), Duration::ZERO);
    let amount = Func::coalesce([Expr::col(Column::SettledPriceCents), Expr::col(Column::TotalPriceCents)]);
    let settled = PendingPayments::update_many()
        .col_expr(Column::Processing, false.into())
        .col_expr(Column::LeaseUntil, Option::<DateTimeUtc>::None.into())
        .col_expr(Column::Finished, true.into())
        .col_expr(Column::FinishedAt, now())
        .col_expr(Column::LastError, Option::<String>::None.into())
        .col_expr(Column::SettledPriceCents, Value::from(recorded).into())
        .col_expr(Column::SettleReason, reason.into())
        .col_expr(Column::SettledBy, by.into())
        .col_expr(Column::SettledAt, now())
        .filter(Column::AppointmentId.eq(appointment_id))
        .filter(Column::ParkedAt.is_not_null())
        .filter(Column::Finished.eq(false))
        // The amount that is sent is no conflict.
        .filter(Expr::from(amount).ne(Value::from(recorded)));
    Ok(settled.exec_with_returning(database).await?.into_iter().next())
}
