//! The outbox table: every statement on `pending_payment`, by name.
//!
//! Who is due is decided by the database's clock: a replica whose own is wrong costs latency at most.

use std::{collections::HashMap, time::Duration};

use chassis::database::now_plus;
use entity::{
    Money,
    pending_payment::{Column, Entity as PendingPayments, Model as PendingPayment},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Statement,
    UpdateMany,
    sea_query::{Expr, ExprTrait, Func, Query},
};
use uuid::Uuid;

/// The width of the column.
const MAX_ERROR_LENGTH: usize = 500;

/// A payment to deliver.
#[derive(Clone, Copy, Debug)]
pub struct Enqueue {
    /// The row's id.
    pub id: Uuid,
    /// The finished consultation.
    pub appointment_id: Uuid,
    /// Its price.
    pub total_price: Money,
}

/// The right to send one row, until the lease ends.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Lease {
    /// The row.
    pub id: Uuid,
    /// The consultation.
    pub appointment_id: Uuid,
    /// What to send.
    pub total_price_cents: Money,
    /// The fencing token: another claim has another.
    pub claim_seq: i64,
    /// How often the row was refused before.
    pub rejections: i32,
}

/// Adds payments that are due at once, in the transaction that finishes their consultations.
///
/// # Errors
/// When the database fails, or a consultation has a pending payment already.
pub async fn enqueue(transaction: &impl ConnectionTrait, payments: &[Enqueue]) -> Result<(), DbErr> {
    let now = || now_plus(transaction.get_database_backend(), Duration::ZERO);
    let columns =
        [Column::Id, Column::AppointmentId, Column::TotalPriceCents, Column::NextAttemptAt, Column::CreatedAt];
    let mut insert = Query::insert().into_table(PendingPayments).columns(columns).to_owned();
    for payment in payments {
        let total_price = payment.total_price.cents();
        insert.values_panic([payment.id.into(), payment.appointment_id.into(), total_price.into(), now(), now()]);
    }
    transaction.execute(&insert).await?;
    Ok(())
}

/// Which pending payment each of these consultations has.
///
/// # Errors
/// When the database fails.
pub async fn pending_payment_ids(
    database: &impl ConnectionTrait,
    appointment_ids: Vec<Uuid>,
) -> Result<HashMap<Uuid, Uuid>, DbErr> {
    if appointment_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<(Uuid, Uuid)> = PendingPayments::find()
        .select_only()
        .columns([Column::AppointmentId, Column::Id])
        .filter(Column::AppointmentId.is_in(appointment_ids))
        .into_tuple()
        .all(database)
        .await?;
    Ok(ids.into_iter().collect())
}

/// Claims the rows that have been due the longest, at most `limit`. Rows that another relay is
/// claiming are skipped, rows under a lease that has not ended are left alone.
///
/// # Errors
/// When the database fails.
pub async fn claim(database: &impl ConnectionTrait, limit: u64, lease: Duration) -> Result<Vec<Lease>, DbErr> {
    // MATERIALIZED: otherwise the planner may lock and update more rows than the limit.
    const POSTGRES: &str = "
        WITH due AS MATERIALIZED (
            SELECT id FROM pending_payment
            WHERE NOT finished AND next_attempt_at <= clock_timestamp()
              AND (lease_until IS NULL OR lease_until <= clock_timestamp())
            ORDER BY next_attempt_at, id LIMIT $1
            FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE pending_payment AS claimed
        SET processing = true, tries = claimed.tries + 1, claim_seq = claimed.claim_seq + 1,
            lease_until = clock_timestamp() + make_interval(secs => $2)
        FROM due WHERE claimed.id = due.id
        RETURNING claimed.id, appointment_id, total_price_cents, claim_seq, rejections";
    // One writer at a time: the statement takes the write lock before it reads.
    const SQLITE: &str = "
        UPDATE pending_payment
        SET processing = true, tries = tries + 1, claim_seq = claim_seq + 1,
            lease_until = strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', $2 || ' seconds')
        WHERE id IN (
            SELECT id FROM pending_payment
            WHERE NOT finished AND next_attempt_at <= strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
              AND (lease_until IS NULL OR lease_until <= strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'))
            ORDER BY next_attempt_at, id LIMIT $1
        )
        RETURNING id, appointment_id, total_price_cents, claim_seq, rejections";
    let backend = database.get_database_backend();
    let sql = if backend == DbBackend::Sqlite { SQLITE } else { POSTGRES };
    let statement =
        Statement::from_sql_and_values(backend, sql, [limit.cast_signed().into(), lease.as_secs_f64().into()]);
    Lease::find_by_statement(statement).all(database).await
}

/// How long it is until a row is due that nobody holds; zero if one is due now.
///
/// # Errors
/// When the database fails.
pub async fn next_due_in(database: &impl ConnectionTrait) -> Result<Option<Duration>, DbErr> {
    const POSTGRES: &str = "
        SELECT extract(epoch FROM next_attempt_at - clock_timestamp())::double precision AS seconds
        FROM pending_payment WHERE NOT finished AND NOT processing ORDER BY next_attempt_at, id LIMIT 1";
    const SQLITE: &str = "
        SELECT (julianday(next_attempt_at) - julianday('now')) * 86400.0 AS seconds
        FROM pending_payment WHERE NOT finished AND NOT processing ORDER BY next_attempt_at, id LIMIT 1";
    let backend = database.get_database_backend();
    let sql = if backend == DbBackend::Sqlite { SQLITE } else { POSTGRES };
    let next = database.query_one_raw(Statement::from_string(backend, sql)).await?;
    let seconds: Option<f64> = next.map(|row| row.try_get("", "seconds")).transpose()?;
    Ok(seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)))
}

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
        .col_expr(Column::ParkedAt, Option::<sea_orm::prelude::DateTimeUtc>::None.into())
        .filter(Column::AppointmentId.eq(appointment_id))
        .filter(Column::Finished.eq(false));
    changed(database, redriven).await
}

/// The pending payment of a consultation.
///
/// # Errors
/// When the database fails.
pub async fn find(database: &impl ConnectionTrait, appointment_id: Uuid) -> Result<Option<PendingPayment>, DbErr> {
    PendingPayments::find().filter(Column::AppointmentId.eq(appointment_id)).one(database).await
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
    update
        .col_expr(Column::Processing, false.into())
        .col_expr(Column::LeaseUntil, Option::<sea_orm::prelude::DateTimeUtc>::None.into())
}

async fn changed(database: &impl ConnectionTrait, update: UpdateMany<PendingPayments>) -> Result<bool, DbErr> {
    Ok(update.exec(database).await?.rows_affected > 0)
}
