//! The deletion of rows that were delivered long ago. The database refuses to delete undelivered and settled rows.

use std::time::Duration;

use chassis::clock;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// Deletes rows that were delivered longer than `keep` ago, at most `limit`. Returns the number of deleted rows.
pub async fn delete_delivered(
    database: &impl ConnectionTrait,
    keep: Duration,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<u64, DbErr> {
    let backend = database.get_database_backend();
    let sql = if backend == DbBackend::Sqlite { SQLITE } else { POSTGRES };
    let youngest = clock::first_id_at(now - keep);
    let values = [youngest.into(), keep.as_secs_f64().into(), limit.cast_signed().into()];
    Ok(database.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?.rows_affected())
}

/// Ids are made from the time of the finish: the primary key leads to the oldest rows without another index. Two
/// replicas that delete at once take different rows. MATERIALIZED as in the claim: otherwise the planner may lock and
/// delete more rows than the limit.
const POSTGRES: &str = "
    WITH old AS MATERIALIZED (
        SELECT id FROM pending_payment
        WHERE id < $1 AND finished AND settled_price_cents IS NULL
          AND finished_at < statement_timestamp() - make_interval(secs => $2)
        ORDER BY id LIMIT $3
        FOR UPDATE SKIP LOCKED
    )
    DELETE FROM pending_payment USING old WHERE pending_payment.id = old.id";

const SQLITE: &str = "
    DELETE FROM pending_payment WHERE id IN (
        SELECT id FROM pending_payment
        WHERE id < $1 AND finished AND settled_price_cents IS NULL
          AND finished_at < strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-' || $2 || ' seconds')
        ORDER BY id LIMIT $3
    )";
