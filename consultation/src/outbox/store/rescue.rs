//! Rescue: rows that a database clock which was ahead has stranded in the future are due now.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

use crate::outbox::policy::{LONGEST_DELAY, LONGEST_REFUSAL_DELAY};

/// Makes rows due now, at most `limit`, that are due later than any delay could have made them: the clock was set
/// back since. Returns their number. Whoever delivers them meanwhile is not disturbed.
///
/// # Errors
/// When the database fails.
pub async fn rescue(database: &impl ConnectionTrait, limit: u64) -> Result<u64, DbErr> {
    let backend = database.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, rescue_sql(backend), rescue_values(limit));
    Ok(database.execute_raw(statement).await?.rows_affected())
}

/// The statement of [`rescue`], for EXPLAIN.
#[must_use]
pub fn rescue_sql(backend: DbBackend) -> &'static str {
    if backend == DbBackend::Sqlite { SQLITE } else { POSTGRES }
}

/// Its parameters.
#[must_use]
pub fn rescue_values(limit: u64) -> [Value; 3] {
    let seconds = |delay: Duration| delay.as_secs_f64().into();
    [seconds(LONGEST_DELAY), seconds(LONGEST_REFUSAL_DELAY), limit.cast_signed().into()]
}

/// From the far end of the index: what lies there is stranded for certain, and found without a look at parked rows.
const POSTGRES: &str = "
    WITH stranded AS MATERIALIZED (
        SELECT id FROM pending_payment
        WHERE NOT finished AND next_attempt_at > statement_timestamp() + make_interval(secs => $1)
          AND (rejections = 0 OR next_attempt_at > statement_timestamp() + make_interval(secs => $2))
        ORDER BY next_attempt_at DESC, id DESC LIMIT $3
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE pending_payment AS rescued SET next_attempt_at = statement_timestamp()
    FROM stranded WHERE rescued.id = stranded.id";

const SQLITE: &str = "
    UPDATE pending_payment SET next_attempt_at = strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
    WHERE id IN (
        SELECT id FROM pending_payment
        WHERE NOT finished AND next_attempt_at > strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', $1 || ' seconds')
          AND (rejections = 0 OR next_attempt_at > strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', $2 || ' seconds'))
        ORDER BY next_attempt_at DESC, id DESC LIMIT $3
    )";
