//! The claim: one short statement that gives the right to send rows.

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
    /// The amount to send: the price, or of a redelivery of a settled payment the settled amount.
    pub total_price_cents: Money,
    /// The fencing token: each claim of the row has another.
    pub claim_seq: i64,
    /// How often the row was sent, this claim included.
    pub tries: i64,
    /// How often the row was refused before.
    pub rejections: i32,
    /// How often the payment was put on its way again. A confirmation is of this delivery, not of a later one.
    pub redeliveries: i32,
    /// The span of the finish, if it is sampled.
    pub trace_parent: Option<String>,
    /// The instance of finance that payments go to, if one was met before. Each claim reads it, so a relay notices an
    /// operator's change without a restart and without another statement.
    pub destination: Option<Uuid>,
}

/// The rows that a claim takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// All due rows.
    All,
    /// Only rows that became due within the last 10 s, as after a notification.
    Recent,
    /// Only rows that were never refused: a payment that makes finance fail must not probe it.
    NeverRefused,
}

/// Index entries of delivered rows stay while any session holds an older snapshot. A claim from the oldest entry on
/// would walk all of them. Delivered rows are older than this, so a claim after a notification skips them.
const RECENT: Duration = Duration::from_secs(10);

/// Claims the rows that have been due the longest, at most `limit`. Rows that another relay is claiming are skipped.
/// Rows under a lease that has not ended are left alone. A lease that ends later than any possible one counts as ended:
/// the database's clock was set back.
pub async fn claim(
    database: &impl ConnectionTrait,
    due: Due,
    limit: u64,
    lease: Duration,
) -> Result<Vec<Lease>, DbErr> {
    let backend = database.get_database_backend();
    let values = [limit.cast_signed().into(), lease.as_secs_f64().into()];
    Lease::find_by_statement(Statement::from_sql_and_values(backend, claim_sql(backend, due), values))
        .all(database)
        .await
}

/// The statement of [`claim`], for EXPLAIN. Its parameters are the limit and the lease in seconds.
#[must_use]
pub fn claim_sql(backend: DbBackend, due: Due) -> String {
    let is_sqlite = backend == DbBackend::Sqlite;
    let (sql, impossible) = if is_sqlite { (SQLITE, SQLITE_IMPOSSIBLE) } else { (POSTGRES, POSTGRES_IMPOSSIBLE) };
    let recent = RECENT.as_secs();
    let due = match due {
        Due::All => String::new(),
        Due::NeverRefused => "AND rejections = 0".to_owned(),
        Due::Recent if is_sqlite => {
            format!("AND next_attempt_at > strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-{recent} seconds')")
        }
        Due::Recent => format!("AND next_attempt_at > statement_timestamp() - interval '{recent} seconds'"),
    };
    sql.replace("{due}", &due).replace("{impossible}", impossible)
}

/// Twice a lease from now: an end beyond it proves that the clock was set back. After a smaller step back a lease ends
/// by itself soon. So a small step, as of time synchronisation, takes no row from a live relay.
const POSTGRES_IMPOSSIBLE: &str = "OR lease_until > statement_timestamp() + 2 * make_interval(secs => $2)";
const SQLITE_IMPOSSIBLE: &str = "OR lease_until > strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', (2 * $2) || ' seconds')";

/// MATERIALIZED: otherwise the planner may lock and update more rows than the limit. `statement_timestamp` is the same
/// for all rows: it bounds the range of the index that is read. The VOLATILE `clock_timestamp` is no index condition:
/// rows that are not due would be read too.
const POSTGRES: &str = "
    WITH due AS MATERIALIZED (
        SELECT id FROM pending_payment
        WHERE NOT finished AND next_attempt_at <= statement_timestamp() {due}
          AND (lease_until IS NULL OR lease_until <= statement_timestamp() {impossible})
        ORDER BY next_attempt_at, id LIMIT $1
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE pending_payment AS claimed
    SET processing = true, tries = claimed.tries + 1, claim_seq = claimed.claim_seq + 1,
        lease_until = statement_timestamp() + make_interval(secs => $2)
    FROM due WHERE claimed.id = due.id
    RETURNING claimed.id, appointment_id, COALESCE(settled_price_cents, total_price_cents) AS total_price_cents,
        claim_seq, claimed.tries, rejections, redeliveries, trace_parent,
        (SELECT instance_id FROM delivery_destination WHERE singleton) AS destination";

/// One writer at a time: the statement takes the write lock before it reads.
const SQLITE: &str = "
    UPDATE pending_payment
    SET processing = true, tries = tries + 1, claim_seq = claim_seq + 1,
        lease_until = strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', $2 || ' seconds')
    WHERE id IN (
        SELECT id FROM pending_payment
        WHERE NOT finished AND next_attempt_at <= strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now') {due}
          AND (lease_until IS NULL OR lease_until <= strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now') {impossible})
        ORDER BY next_attempt_at, id LIMIT $1
    )
    RETURNING id, appointment_id, COALESCE(settled_price_cents, total_price_cents) AS total_price_cents,
        claim_seq, tries, rejections, redeliveries, trace_parent,
        (SELECT instance_id FROM delivery_destination WHERE singleton) AS destination";
