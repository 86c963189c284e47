//! Notices that a SQLite file has lost its write-ahead log, `FILE-wal`, and with it commits that were acknowledged.
//!
//! SQLite itself does not: it takes a file whose log was deleted for one that was closed properly, when the log's
//! content was moved into the file (a checkpoint) and the log removed. So the file carries a mark, its `user_version`:
//!
//! ```text
//!              opened(): mark, checkpoint                      closed(): checkpoint, mark, then the last connection closes
//! 0, no log ----------------------------> 1, log not empty ----------------------------------------> 0, no log
//!                                           |  killed                        opened() finds 1
//!                                           +--> 1, log not empty: nothing is lost
//!                                           +--> 1, no log or an empty one: someone deleted it
//! ```
//!
//! How a service uses it, and nothing else may, one process per file:
//!
//! 1. Make the writer's connection, and call [`opened`] before anything is written and before the first request.
//! 2. Keep a [`Keeper`] and a [`LogFile`] as long as the process runs; it is not ready once [`LogFile::is_gone`].
//! 3. At the end, after the last write: [`closed`], then [`Keeper::close`], then close all connections.
//!
//! A command that opens the file beside the service or after its crash (migrate, reconcile, backup) leaves the mark alone.
//! As the last to close the file it would remove the log, which is right, but would look like a deletion. So it takes
//! [`Keeper::of_used_log`] before it opens a connection that may write, and closes the keeper after all others.

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

/// How the process that had the file before ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// It closed the file, or there was none.
    Closed,
    /// It was killed. All its commits are there.
    Killed,
    /// It was killed, and its log is gone: what it committed last is lost.
    LogLost,
}

/// Marks `file` as in use, and logs what to do if its log was lost. `writer` has the file open with `synchronous = FULL`
/// and has not written yet.
///
/// # Errors
/// When the file cannot be read or written, or stays locked.
pub async fn opened(writer: &mut SqliteConnection, file: &Path) -> Result<Before, sqlx::Error> {
    let mark: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *writer).await?;
    // Connecting makes an empty log where there is none.
    let before = match (mark, is_missing_or_empty(file)) {
        (IN_USE, true) => Before::LogLost,
        (IN_USE, false) => Before::Killed,
        _ => Before::Closed,
    };
    if before == Before::LogLost {
        let file = file.display();
        tracing::warn!(
            "{file}: commits may be lost. The service was not ended properly, and its write-ahead log, {file}-wal, is gone. Look for \
             {file}-wal; if you find it, stop the service, put it back beside an untouched copy of {file}, and start again. If not, \
             run `reconcile`, which names payments without a consultation and confirmed ones without a payment, and restore the \
             newest backup if it holds more. A file that is moved or copied needs its -wal; `backup` makes copies that do not"
        );
    }
    // Also makes durable, before any answer depends on it, what a killed process wrote to the log and did not sync:
    // it syncs the log as a whole, and so does the checkpoint.
    set(writer, IN_USE).await?;
    checkpoint(writer).await?;
    // The mark is in the file now. From here on the log is never empty, so that an empty one is a lost one.
    set(writer, IN_USE).await?;
    Ok(before)
}

/// Writes the mark once more, to see whether the file can be written.
pub(super) async fn mark_again(writers: &Connections) -> Result<(), DbErr> {
    writers.execute_unprepared(&format!("PRAGMA user_version = {IN_USE}")).await.map(drop)
}

/// Marks the file as properly closed, after its last write; closing the last connection then removes the log.
///
/// # Errors
/// When the file cannot be written or stays locked. It then looks like that of a killed process, with its log beside it.
pub async fn closed(writer: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    // First all the rest: the mark is in the file's first page, which a checkpoint writes first. Were it cut short, the
    // file would claim to be complete.
    checkpoint(writer).await?;
    set(writer, PROPERLY_CLOSED).await
}

/// Whether `file` has no write-ahead log, as is right only while nobody has it open.
#[must_use]
pub fn is_missing(file: &Path) -> bool {
    matches!(fs::metadata(beside(file, "-wal")), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

fn is_missing_or_empty(file: &Path) -> bool {
    // One that cannot be looked at is not known to be lost.
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

/// The path of `file` with `suffix`, where SQLite puts what belongs to it.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(file);
    path.push(suffix);
    path.into()
}

async fn set(writer: &mut SqliteConnection, mark: i64) -> Result<(), sqlx::Error> {
    sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA user_version = {mark}"))).execute(writer).await.map(drop)
}

/// Moves the log's content into the file and cuts the log to nothing.
async fn checkpoint(writer: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let (busy, ..): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(writer).await?;
    if busy != 0 {
        // A backup is under way, for example. What it has to wait for stays in the log.
        tracing::warn!("the write-ahead log could not be emptied: another connection reads from it");
    }
    Ok(())
}
