//! The rescue of rows that are due in a far future: the database's clock was ahead when they were written.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

use crate::outbox::policy::{LONGEST_DELAY, LONGEST_REFUSAL_DELAY};

/// Makes at most `limit` rows due now whose due time is beyond any possible delay. Returns the number of rescued rows.
/// A relay that is delivering such a row is not disturbed.
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

/// The parameters of [`rescue_sql`].
#[must_use]
pub fn rescue_values(limit: u64) -> [Value; 3] {
    let seconds = |delay: Duration| delay.as_secs_f64().into();
    [seconds(LONGEST_DELAY), seconds(LONGEST_REFUSAL_DELAY), limit.cast_signed().into()]
}

/// Read from the far end of the index: the rows there are stranded for certain. Parked rows are not read.
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
