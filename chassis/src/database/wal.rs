//! Detects that a SQLite file has lost its write-ahead log, `FILE-wal`, and with it acknowledged commits.
//!
//! SQLite itself does not. A file whose log was deleted looks to it like one that was closed properly: a checkpoint
//! moved the log's content into the file, and the log was removed. So the file carries a mark, its `user_version`:
//!
//! ```text
//!          mark_in_use(): mark, checkpoint      mark_closed(): checkpoint, mark, then the last connection closes
//! 0, no log ----------------------------> 1, log not empty ----------------------------------------> 0, no log
//!                                           |  killed                        mark_in_use() finds 1
//!                                           +--> 1, log not empty: nothing is lost
//!                                           +--> 1, no log or an empty one: it was deleted
//! ```
//!
//! Use by a service, the only one of its file:
//!
//! 1. Open the writer's connection, and call [`mark_in_use`] before the first write and the first request.
//! 2. Keep a [`Keeper`] and a [`LogFile`] while the process runs; it is not ready once [`LogFile::is_gone`].
//! 3. At the end, after the last write: [`mark_closed`], then [`Keeper::close`], then close all connections.
//!
//! A command beside the service or after its crash (migrate, reconcile, backup) leaves the mark alone. Closing the file
//! last, it would remove the log, which is right but would look like a deletion. So it takes [`Keeper::of_used_log`]
//! before it opens a connection that may write, and closes the keeper after all others.

pub(in crate::database) mod erase;
mod keeper;
mod log_file;

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use sea_orm::{
    ConnectionTrait, DbErr,
    sqlx::{self, SqliteConnection, sqlite::SqliteConnectOptions},
};

use super::connections::Connections;
pub use keeper::Keeper;
pub use log_file::LogFile;

const PROPERLY_CLOSED: i64 = 0;
const IN_USE: i64 = 1;

/// End of the previous process that used the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreviousExit {
    /// It closed the file, or there was no process.
    Closed,
    /// It was killed. All its commits are there.
    Killed,
    /// It was killed, and its log is gone: its last commits are lost.
    LogLost,
}

/// Marks `file` as in use, and logs instructions if its log was lost. `writer` has the file open with
/// `synchronous = FULL` and has not written yet.
///
/// # Errors
/// When the file cannot be read or written, or stays locked.
pub async fn mark_in_use(writer: &mut SqliteConnection, file: &Path) -> Result<PreviousExit, sqlx::Error> {
    let mark: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *writer).await?;
    // Connecting creates an empty log where there is none.
    let before = match (mark, is_missing_or_empty(file)) {
        (IN_USE, true) => PreviousExit::LogLost,
        (IN_USE, false) => PreviousExit::Killed,
        _ => PreviousExit::Closed,
    };
    if before == PreviousExit::LogLost {
        let file = file.display();
        tracing::warn!(
            "{file}: commits may be lost. The service was not stopped properly, and its write-ahead log, {file}-wal, is gone. Look for \
            {file}-wal. If it is found, stop the service, put it back beside an untouched copy of {file}, and start again. If not, \
            run `reconcile`, which names missing rows, and restore the newest backup if it holds more. A file that is moved or \
            copied needs its -wal; `backup` makes copies that do not"
        );
    }
    // A killed process may have written to the log without a sync. This makes those commits durable before any answer
    // depends on them: it syncs the whole log, and so does the checkpoint.
    set(writer, IN_USE).await?;
    checkpoint(writer).await?;
    // The mark is in the file now. From here on the log is never empty, so an empty one is a lost one.
    set(writer, IN_USE).await?;
    Ok(before)
}

/// Writes the mark again, to test that the file is writable.
pub(super) async fn mark_again(writers: &Connections) -> Result<(), DbErr> {
    writers.execute_unprepared(&format!("PRAGMA user_version = {IN_USE}")).await.map(drop)
}

/// Marks the file as properly closed, after its last write. Closing the last connection then removes the log.
///
/// # Errors
/// When the file cannot be written or stays locked. It then looks like that of a killed process, with its log beside
/// it.
pub async fn mark_closed(writer: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    // The rest first: the mark is in the first page, which a checkpoint writes first. An interrupted checkpoint would
    // leave a file that claims to be complete.
    checkpoint(writer).await?;
    set(writer, PROPERLY_CLOSED).await
}

/// Whether `file` has no write-ahead log, which is right only while no process has it open.
#[must_use]
pub fn is_missing(file: &Path) -> bool {
    matches!(fs::metadata(beside(file, "-wal")), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

fn is_missing_or_empty(file: &Path) -> bool {
    // An unreadable log is not known to be lost.
    fs::metadata(beside(file, "-wal"))
        .map_or_else(|error| error.kind() == io::ErrorKind::NotFound, |log| log.len() == 0)
}

/// The file of a `sqlite:` URL.
///
/// # Errors
/// When the URL is malformed.
pub fn file_of(url: &str) -> Result<PathBuf, DbErr> {
    let options = SqliteConnectOptions::from_str(url).map_err(|error| DbErr::Custom(format!("{url}: {error}")))?;
    Ok(options.get_filename().to_owned())
}

/// Path of `file` with `suffix`: SQLite's name for a file that belongs to it.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(file);
    path.push(suffix);
    path.into()
}

async fn set(writer: &mut SqliteConnection, mark: i64) -> Result<(), sqlx::Error> {
    sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA user_version = {mark}"))).execute(writer).await.map(drop)
}

/// Moves the log's content into the file and truncates the log.
async fn checkpoint(writer: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    if !truncate_log(writer).await? {
        // For example a backup in progress. The content that it still reads stays in the log.
        tracing::warn!("the write-ahead log could not be emptied: another connection reads from it");
    }
    Ok(())
}

/// As [`checkpoint`]. Returns false if another connection still reads from the log.
async fn truncate_log(writer: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let (busy, ..): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(writer).await?;
    Ok(busy == 0)
}
