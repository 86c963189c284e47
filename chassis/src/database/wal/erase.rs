//! Erases deleted and replaced values. SQLite leaves them in the free space of pages, and in the log, until something
//! is written over them.

use std::time::Duration;

use sea_orm::{
    DbErr,
    sqlx::{self, ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions},
};
use tokio::time::{Instant, sleep};

use super::{IN_USE, set, truncate_log};
use crate::database::faults;

/// Longest wait for the write lock, and for readers of older content. Half a deletion is none.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// Interval of attempts to empty the log while others move its content to the file: SQLite does not wait for them.
const CHECKPOINT_INTERVAL: Duration = Duration::from_millis(50);

/// Rewrites the file without its free space and empties the log. A service may run meanwhile; its writes wait. It needs
/// free space for two more copies of the file.
pub(in crate::database) async fn erase(options: &SqliteConnectOptions) -> Result<(), DbErr> {
    let file = options.get_filename().display();
    let connection = options.clone().busy_timeout(BUSY_TIMEOUT).connect().await;
    let mut connection = connection.map_err(|error| faults::about_connecting(&file.to_string(), error))?;
    let is_empty = rewrite(&mut connection).await.map_err(faults::about_statement)?;
    connection.close().await.map_err(faults::about_statement)?;
    if is_empty { Ok(()) } else { Err(DbErr::Custom(format!("another program reads older content of {file}"))) }
}

/// Returns false if the log still has older content, for another connection that reads it.
async fn rewrite(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    sqlx::query("VACUUM").execute(&mut *connection).await?;
    let deadline = Instant::now() + BUSY_TIMEOUT;
    let mut is_empty = truncate_log(connection).await?;
    while !is_empty && Instant::now() < deadline {
        sleep(CHECKPOINT_INTERVAL).await;
        is_empty = truncate_log(connection).await?;
    }
    let mark: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await?;
    if mark == IN_USE {
        // A service that is killed now would find an empty log, which looks like a lost one.
        set(connection, mark).await?;
    }
    Ok(is_empty)
}
