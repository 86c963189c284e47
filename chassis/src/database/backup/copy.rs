//! Writes and checks the copy, with SQLite's own means.

use std::{path::Path, time::Duration};

use anyhow::{Context, bail, ensure};
use sea_orm::sqlx::{
    self, AssertSqlSafe, ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

/// Long, since an incomplete copy is worth nothing, and a file after a crash is locked while its log is read.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Writes a snapshot of `database` to `copy`, which is empty. It blocks no writer; the log grows meanwhile.
pub(super) async fn write(database: &Path, copy: &Path) -> anyhow::Result<()> {
    // A read-only connection never removes the log, even as the last one: after a crash the log belongs to the service.
    let mut from = options(database).read_only(true).connect().await?;
    let written = sqlx::query("VACUUM INTO ?").bind(path(copy)?).execute(&mut from).await;
    from.close().await?;
    written?;
    // The copy carries the mark of a file in use, and has no log.
    let settings = options(copy).journal_mode(SqliteJournalMode::Memory).synchronous(SqliteSynchronous::Off);
    let mut to = settings.connect().await?;
    sqlx::query("PRAGMA user_version = 0").execute(&mut to).await?;
    Ok(to.close().await?)
}

/// Checks all of `copy` and returns the number of rows of each table.
pub(super) async fn check(copy: &Path) -> anyhow::Result<Vec<(String, i64)>> {
    let mut copy = options(copy).read_only(true).connect().await?;
    let faults: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(10)").fetch_all(&mut copy).await?;
    ensure!(faults == ["ok"], "it is damaged: {}", faults.join("; "));
    let orphans = "SELECT \"table\" || ' row ' || coalesce(rowid, '?') || ' refers to nothing in ' || parent
                   FROM pragma_foreign_key_check LIMIT 10";
    let orphans: Vec<String> = sqlx::query_scalar(orphans).fetch_all(&mut copy).await?;
    if !orphans.is_empty() {
        bail!("foreign keys are violated: {}", orphans.join("; "));
    }
    let rows = count(&mut copy).await?;
    copy.close().await?;
    Ok(rows)
}

async fn count(copy: &mut SqliteConnection) -> sqlx::Result<Vec<(String, i64)>> {
    let tables =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *copy).await?;
    let mut rows = Vec::with_capacity(tables.len());
    for table in tables {
        let count = format!("SELECT count(*) FROM \"{}\"", table.replace('"', "\"\""));
        let count = sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut *copy).await?;
        rows.push((table, count));
    }
    Ok(rows)
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(file).busy_timeout(BUSY_TIMEOUT).disable_statement_logging()
}

fn path(file: &Path) -> anyhow::Result<&str> {
    file.to_str().with_context(|| format!("{} is not UTF-8, which SQLite requires of names", file.display()))
}
