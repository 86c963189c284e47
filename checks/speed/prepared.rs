//! Rows written in bulk before a measurement. Their ids are numbers.

use std::ops::Range;

use sea_orm::{ConnectionTrait, DbBackend};

/// Rows of one statement.
const MAX_ROWS: u64 = 200_000;
/// Rows that no subject uses.
const FIRST_DAYS: Range<u64> = (1 << 40)..(1 << 40) + 10_000;

/// Prepares consultations in progress so that there are `count`.
pub(crate) async fn fill_up(database: &impl ConnectionTrait, rows: &mut Range<u64>, count: u64) -> anyhow::Result<()> {
    let end = rows.start + count;
    if end > rows.end {
        in_progress(database, rows.end..end).await?;
        database.execute_unprepared("ANALYZE consultation").await?;
        rows.end = end;
    }
    Ok(())
}

/// Consultations in progress that began an hour ago.
pub(crate) async fn in_progress(database: &impl ConnectionTrait, rows: Range<u64>) -> anyhow::Result<()> {
    let Words { id, physician, hour_ago, .. } = Words::of(database);
    bulk(database, rows, |numbers| {
        format!(
            "{numbers} INSERT INTO consultation (id, physician_id, patient_id, start_date)
             SELECT {id}, {physician}, {id}, {hour_ago} FROM numbers"
        )
    })
    .await
}

/// Writes finished consultations with their payments, delivered or due.
pub(crate) async fn finished(database: &impl ConnectionTrait, rows: Range<u64>, delivered: bool) -> anyhow::Result<()> {
    let Words { id, physician, hour_ago, now } = Words::of(database);
    bulk(database, rows.clone(), |numbers| {
        format!(
            "{numbers} INSERT INTO consultation (id, physician_id, patient_id, start_date, end_date, price_cents)
             SELECT {id}, {physician}, {id}, {hour_ago}, {now}, 20000 FROM numbers"
        )
    })
    .await?;
    // The plan for a foreign key's check was made for an empty table, and would read the whole one.
    database.execute_unprepared("ANALYZE consultation").await?;
    let finished_at = if delivered { now } else { "NULL" };
    bulk(database, rows, |numbers| {
        format!(
            "{numbers} INSERT INTO pending_payment
                 (id, appointment_id, total_price_cents, next_attempt_at, created_at, finished, finished_at)
             SELECT {id}, {id}, 20000, {now}, {now}, {delivered}, {finished_at} FROM numbers"
        )
    })
    .await
}

/// Writes the rows of a service's first days, for the services and for pgbench: for empty tables the planner decides
/// otherwise.
pub(crate) async fn first_days(
    consultations: &impl ConnectionTrait,
    payments: &impl ConnectionTrait,
) -> anyhow::Result<()> {
    finished(consultations, FIRST_DAYS, true).await?;
    let Words { id, now, .. } = Words::of(payments);
    bulk(payments, FIRST_DAYS, |numbers| {
        format!(
            "{numbers} INSERT INTO payment (id, appointment_id, total_price_cents, recorded_at)
             SELECT {id}, {id}, 20000, {now} FROM numbers"
        )
    })
    .await?;
    tidy(consultations).await?;
    tidy(payments).await
}

/// Vacuums and analyzes, as the database's own maintenance does.
pub(crate) async fn tidy(database: &impl ConnectionTrait) -> anyhow::Result<()> {
    let tidy: &[&str] = match database.get_database_backend() {
        DbBackend::Sqlite => &["ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"],
        _ => &["VACUUM ANALYZE", "CHECKPOINT"],
    };
    for statement in tidy {
        database.execute_unprepared(statement).await?;
    }
    Ok(())
}

/// The expressions that differ between the databases.
struct Words {
    id: &'static str,
    physician: &'static str,
    hour_ago: &'static str,
    now: &'static str,
}

impl Words {
    fn of(database: &impl ConnectionTrait) -> Self {
        match database.get_database_backend() {
            DbBackend::Sqlite => Self {
                id: "unhex(printf('%032x', n))",
                physician: "unhex(printf('%032x', n % 100))",
                hour_ago: "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-1 hour')",
                now: "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')",
            },
            _ => Self {
                id: "lpad(to_hex(n), 32, '0')::uuid",
                physician: "lpad(to_hex(n % 100), 32, '0')::uuid",
                hour_ago: "clock_timestamp() - interval '1 hour'",
                now: "clock_timestamp()",
            },
        }
    }
}

async fn bulk(
    database: &impl ConnectionTrait,
    rows: Range<u64>,
    insert: impl Fn(&str) -> String,
) -> anyhow::Result<()> {
    let mut start = rows.start;
    while start < rows.end {
        let last = (start + MAX_ROWS).min(rows.end) - 1;
        let numbers = match database.get_database_backend() {
            DbBackend::Sqlite => format!(
                "WITH RECURSIVE numbers(n) AS (SELECT {start} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})"
            ),
            _ => format!("WITH numbers AS (SELECT generate_series({start}::bigint, {last}::bigint) AS n)"),
        };
        database.execute_unprepared(&insert(&numbers)).await?;
        start = last + 1;
    }
    Ok(())
}
