//! A connection that prevents SQLite from removing the write-ahead log.

use std::{path::Path, time::Duration};

use sea_orm::sqlx::{self, ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::is_missing_or_empty;

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Prevents the removal of the log when the last other connection closes: a read-only connection cannot remove it.
/// While idle it blocks neither writers nor checkpoints.
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
        // The first read takes the lock that marks the file as open.
        sqlx::query("PRAGMA user_version").execute(&mut connection).await?;
        Ok(Self(connection))
    }

    /// For commands: opens `file` if its log is in use, by a running service or a killed one. Otherwise the command
    /// closes the file as usual and leaves no log behind.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn of_used_log(file: &Path) -> Result<Option<Self>, sqlx::Error> {
        if is_missing_or_empty(file) { Ok(None) } else { Self::open(file).await.map(Some) }
    }

    /// Closes the connection.
    pub async fn close(self) {
        // It has written nothing, so a failure loses nothing.
        let _ = self.0.close().await;
    }
}
