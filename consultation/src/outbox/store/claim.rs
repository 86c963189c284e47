//! Claiming: one short statement that gives the right to send.

use std::time::Duration;

use entity::Money;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement};
use uuid::Uuid;

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
