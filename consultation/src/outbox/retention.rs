//! Retention: deletes old delivered rows in small batches. The database refuses to delete undelivered rows.

use std::time::Duration;

use chassis::{clock, database::Database};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::Upkeep;

/// Deletes delivered rows.
#[derive(Clone, Debug)]
pub struct Retention {
    /// The database of the outbox.
    pub database: Database,
    /// Time since delivery after which a row is deleted.
    pub keep: Duration,
}

impl Retention {
    /// Deletes one batch. Returns the number of deleted rows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn step(&self, now: DateTime<Utc>) -> Result<u64, DbErr> {
        // Ids are made from the time of the finish: the primary key leads to the oldest rows without another index. Two
        // replicas that delete at once take different rows. MATERIALIZED as in the claim: otherwise the planner may lock
        // and delete more rows than the limit.
        const POSTGRES: &str = "
            WITH old AS MATERIALIZED (
                SELECT id FROM pending_payment
                WHERE id < $1 AND finished AND finished_at < clock_timestamp() - make_interval(secs => $2)
                ORDER BY id LIMIT $3
                FOR UPDATE SKIP LOCKED
            )
            DELETE FROM pending_payment USING old WHERE pending_payment.id = old.id";
        const SQLITE: &str = "
            DELETE FROM pending_payment WHERE id IN (
                SELECT id FROM pending_payment
                WHERE id < $1 AND finished
                  AND finished_at < strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-' || $2 || ' seconds')
                ORDER BY id LIMIT $3
            )";
        let backend = self.database.write.get_database_backend();
        let sql = if backend == DbBackend::Sqlite { SQLITE } else { POSTGRES };
        let youngest = clock::first_id_at(now - self.keep);
        let values = [youngest.into(), self.keep.as_secs_f64().into(), Upkeep::BATCH.cast_signed().into()];
        let deleted = self.database.write.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
        if deleted.rows_affected() > 0 {
            tracing::info!(rows = deleted.rows_affected(), "deleted delivered rows of the outbox");
        }
        Ok(deleted.rows_affected())
    }
}
