//! A connection that keeps SQLite from removing the write-ahead log.

use std::{path::Path, time::Duration};

use sea_orm::sqlx::{self, ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::is_missing_or_empty;

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Keeps SQLite from removing the log when the last other connection closes: a connection that may not write cannot
/// remove it. While idle it keeps nobody from writing or checkpointing.
#[derive(Debug)]
pub struct Keeper(SqliteConnection);

impl Keeper {
    /// Opens `file`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn open(file: &Path) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(BUSY_TIMEOUT);
        let mut connection = options.disable_statement_logging().connect().await?;
        // Only with a first read does it take the lock that says that the file is open.
        sqlx::query("PRAGMA user_version").execute(&mut connection).await?;
        Ok(Self(connection))
    }

    /// For commands: opens `file` if its log is in use, be it by a service that runs or by one that was killed. Else the
    /// command closes the file as everyone does, and leaves no log behind.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn of_used_log(file: &Path) -> Result<Option<Self>, sqlx::Error> {
        if is_missing_or_empty(file) { Ok(None) } else { Self::open(file).await.map(Some) }
    }

    /// Ends it.
    pub async fn close(self) {
        // It has written nothing that could fail.
        let _ = self.0.close().await;
    }
}
