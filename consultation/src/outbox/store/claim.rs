//! Claiming: one short statement that gives the right to send.

use std::{borrow::Cow, time::Duration};

use chassis::seeded_bug::is_seeded;
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
    /// The finance that payments go to, if one was met before. Told with each claim, so that a relay notices without
    /// a restart, and without a statement for it, when an operator accepts another.
    pub destination: Option<Uuid>,
}

/// Which rows a claim takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// All that are due.
    All,
    /// Only such as were never refused: a row that finance cannot stand must not probe it.
    Innocent,
}

/// Claims the rows that have been due the longest, at most `limit`. Rows that another relay is
/// claiming are skipped, rows under a lease that has not ended are left alone.
///
/// # Errors
/// When the database fails.
pub async fn claim(
    database: &impl ConnectionTrait,
    due: Due,
    limit: u64,
    lease: Duration,
) -> Result<Vec<Lease>, DbErr> {
    let backend = database.get_database_backend();
    let mut sql = Cow::Borrowed(claim_sql(backend));
    if is_seeded("no-skip-locked") {
        sql = sql.replace("FOR NO KEY UPDATE SKIP LOCKED", "").into();
    }
    if is_seeded("give-up") {
        sql = sql.replace("WHERE NOT finished", "WHERE NOT finished AND tries < 2").into();
    }
    let values = [limit.cast_signed().into(), lease.as_secs_f64().into(), (due == Due::Innocent).into()];
    Lease::find_by_statement(Statement::from_sql_and_values(backend, sql, values)).all(database).await
}

/// The statement of [`claim`], for EXPLAIN: its parameters are the limit, the lease in seconds, and whether
/// to take innocent rows only.
#[must_use]
pub fn claim_sql(backend: DbBackend) -> &'static str {
    if backend == DbBackend::Sqlite { SQLITE } else { POSTGRES }
}

/// MATERIALIZED: otherwise the planner may lock and update more rows than the limit.
const POSTGRES: &str = "
    WITH due AS MATERIALIZED (
        SELECT id FROM pending_payment
        WHERE NOT finished AND next_attempt_at <= clock_timestamp()
          AND (lease_until IS NULL OR lease_until <= clock_timestamp())
          AND NOT ($3 AND rejections > 0)
        ORDER BY next_attempt_at, id LIMIT $1
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE pending_payment AS claimed
    SET processing = true, tries = claimed.tries + 1, claim_seq = claimed.claim_seq + 1,
        lease_until = clock_timestamp() + make_interval(secs => $2)
    FROM due WHERE claimed.id = due.id
    RETURNING claimed.id, appointment_id, total_price_cents, claim_seq, rejections,
        (SELECT instance_id FROM delivery_destination WHERE singleton) AS destination";

/// One writer at a time: the statement takes the write lock before it reads.
const SQLITE: &str = "
    UPDATE pending_payment
    SET processing = true, tries = tries + 1, claim_seq = claim_seq + 1,
        lease_until = strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', $2 || ' seconds')
    WHERE id IN (
        SELECT id FROM pending_payment
        WHERE NOT finished AND next_attempt_at <= strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
          AND (lease_until IS NULL OR lease_until <= strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'))
          AND NOT ($3 AND rejections > 0)
        ORDER BY next_attempt_at, id LIMIT $1
    )
    RETURNING id, appointment_id, total_price_cents, claim_seq, rejections,
        (SELECT instance_id FROM delivery_destination WHERE singleton) AS destination";
