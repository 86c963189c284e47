//! Writing and checking the copy, by SQLite.

use std::{path::Path, time::Duration};

use anyhow::{Context, bail, ensure};
use sea_orm::sqlx::{
    self, AssertSqlSafe, ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

/// A file that was not closed properly is locked while its log is read; and an incomplete copy is worth nothing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Writes one moment of `database` to `copy`, which is empty. Reading keeps no writer waiting; the log grows meanwhile.
pub(super) async fn write(database: &Path, copy: &Path) -> anyhow::Result<()> {
    // Who only reads leaves the log in place, also as the last to close it: after a crash it belongs to the service.
    let mut from = options(database).read_only(true).connect().await?;
    let written = sqlx::query("VACUUM INTO ?").bind(path(copy)?).execute(&mut from).await;
    from.close().await?;
    written?;
    // The copy has the mark of a file that is in use, and no log.
    let settings = options(copy).journal_mode(SqliteJournalMode::Memory).synchronous(SqliteSynchronous::Off);
    let mut to = settings.connect().await?;
    sqlx::query("PRAGMA user_version = 0").execute(&mut to).await?;
    Ok(to.close().await?)
}

/// Reads all of `copy` and gives the rows of each table.
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
    file.to_str().with_context(|| format!("{} is not UTF-8, as SQLite wants names", file.display()))
}
