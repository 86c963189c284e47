//! The rate at which a backlog is delivered after an outage of finance.

use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;
use tokio::time::Instant;

use anyhow::{Context, ensure};

use crate::{
    arguments::Arguments,
    figures::{Limit, thousands},
    prepared,
    report::Section,
    stack::{Stack, delivered},
    usage::Usage,
};

/// No other subject uses these rows.
const FIRST_ROW: u64 = 1 << 42;
const ABOUT: &str = "Payments that waited for finance, from the first that it recorded to the last.";
const COLUMNS: [&str; 5] =
    ["payments", "delivered", "in", "all confirmed after its start", "CPU of consultation, finance, PostgreSQL"];
/// The number of these payments, and the seconds from the first recording to the last.
const RECORDED: &str = "SELECT count(*), extract(epoch FROM max(recorded_at) - min(recorded_at))::float8
    FROM payment WHERE appointment_id BETWEEN lpad(to_hex($1), 32, '0')::uuid AND lpad(to_hex($2), 32, '0')::uuid";

pub(crate) async fn run(stack: &mut Stack, arguments: &Arguments) -> anyhow::Result<Section> {
    let mut section = Section::new("drain", ABOUT, &COLUMNS);
    let count = if arguments.quick { 30_000 } else { 100_000 };
    stack.services.finance.stop()?;
    prepared::finished(&stack.consultation_database, FIRST_ROW..FIRST_ROW + count, false).await?;
    stack.consultation_database.execute_unprepared("ANALYZE").await?;
    stack.checkpoint().await?;
    let postmaster = Some(stack.postmaster()?);
    let begin = Instant::now();
    stack.services.finance.start().await?;
    let before = Usage::now(&stack.services, postmaster)?;
    delivered(&stack.consultation_database).await?;
    let (after, used) = (begin.elapsed().as_secs_f64(), Usage::now(&stack.services, postmaster)?.since(&before));
    let backend = stack.finance_database.get_database_backend();
    let rows = [FIRST_ROW, FIRST_ROW + count].map(|row| row.cast_signed().into());
    let row = stack.finance_database.query_one_raw(Statement::from_sql_and_values(backend, RECORDED, rows)).await?;
    let row = row.context("no row")?;
    let (recorded, seconds): (i64, f64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    ensure!(recorded.cast_unsigned() == count, "{recorded} of {count} were recorded");
    let rate = u32::try_from(count).map(f64::from)? / seconds;
    let verdict = section.bar("drain".to_owned(), rate, Limit::AtLeast(20_000.0), "/s");
    section.row(&[
        thousands(u32::try_from(count)?.into()),
        format!("{}/s {verdict}", thousands(rate)),
        format!("{seconds:.1} s"),
        format!("{after:.1} s"),
        format!("{:.1}, {:.1}, {:.1} s", used.consultation, used.finance, used.postgres),
    ]);
    section.figures.push(json!({
        "payments": count, "per_second": rate, "seconds": seconds, "confirmed_after_seconds": after,
        "cpu_seconds": { "consultation": used.consultation, "finance": used.finance, "postgresql": used.postgres },
    }));
    Ok(section)
}
