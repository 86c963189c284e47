//! What is not delivered yet, for metrics and the console: counts and an age, by the database's clock, from the index of
//! due rows.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement};

/// Rows that are not delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, FromQueryResult)]
pub struct Backlog {
    /// Rows that wait.
    pub pending: i64,
    /// Those of them that are due.
    pub due: i64,
    /// Rows that a relay holds, also of those that finance refused before.
    pub processing: i64,
    /// Rows that finance refused and no relay holds. They are retried too.
    pub parked: i64,
    /// Seconds since the oldest was made that finance has not refused. `None`: there is none. A parked row stays out of
    /// it while it is sent: it is not late, it is disputed.
    pub oldest_seconds: Option<f64>,
}

/// Counts the backlog.
pub async fn backlog(database: &impl ConnectionTrait) -> Result<Backlog, DbErr> {
    let backend = database.get_database_backend();
    let sql = if backend == DbBackend::Sqlite { SQLITE } else { POSTGRES };
    let found = Backlog::find_by_statement(Statement::from_string(backend, sql)).one(database).await?;
    Ok(found.unwrap_or_default())
}

const POSTGRES: &str = "
    SELECT count(*) FILTER (WHERE parked_at IS NULL AND NOT processing) AS pending,
        count(*) FILTER (WHERE parked_at IS NULL AND NOT processing AND next_attempt_at <= statement_timestamp()) AS due,
        count(*) FILTER (WHERE processing) AS processing,
        count(*) FILTER (WHERE parked_at IS NOT NULL AND NOT processing) AS parked,
        extract(epoch FROM statement_timestamp() - min(created_at) FILTER (WHERE parked_at IS NULL))::float8
            AS oldest_seconds
    FROM pending_payment WHERE NOT finished";

const SQLITE: &str = "
    SELECT count(*) FILTER (WHERE parked_at IS NULL AND NOT processing) AS pending,
        count(*) FILTER (WHERE parked_at IS NULL AND NOT processing
            AND next_attempt_at <= strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')) AS due,
        count(*) FILTER (WHERE processing) AS processing,
        count(*) FILTER (WHERE parked_at IS NOT NULL AND NOT processing) AS parked,
        (julianday('now') - julianday(min(created_at) FILTER (WHERE parked_at IS NULL))) * 86400 AS oldest_seconds
    FROM pending_payment WHERE NOT finished";
