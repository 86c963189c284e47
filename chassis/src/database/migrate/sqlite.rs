//! Migrations on SQLite: one immediate transaction, which takes the file's single write lock at once.

use std::path::Path;

use sea_orm::{
    ConnectOptions, DatabaseConnection, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use sea_orm_migration::MigratorTrait;

use super::{Attempt, Blocked, LockWaits, Waiting, lock_files, up};
use crate::database::{
    faults::{about_connecting, code},
    options::Options,
    private_file, wal,
};

/// Primary result code: another connection holds the lock.
const SQLITE_BUSY: u32 = 5;

pub(super) async fn run<M: MigratorTrait>(
    url: &str,
    options: &Options,
    waits: LockWaits,
) -> Result<Vec<String>, DbErr> {
    let file = wal::file_of(url)?;
    if let Some(file) = options.file() {
        private_file::create(file)?;
    }
    let unreachable = |error| about_connecting(&options.address(), error);
    let keeper = wal::Keeper::of_used_log(&file).await.map_err(unreachable)?;
    let outcome = match until_migrated::<M>(url, &file, waits).await {
        Err(DbErr::Conn(error)) => Err(about_connecting(&options.address(), error)),
        outcome => outcome,
    };
    if let Some(keeper) = keeper {
        keeper.close().await;
    }
    outcome
}

async fn until_migrated<M: MigratorTrait>(url: &str, file: &Path, waits: LockWaits) -> Result<Vec<String>, DbErr> {
    let waiting = Waiting::new(waits);
    loop {
        // Connecting to a new file needs the lock too.
        let attempt = match connect(url, waits).await {
            Ok(session) => {
                let attempt = attempt::<M>(&session).await;
                session.close().await?;
                attempt
            }
            Err(error) => Err(error),
        };
        match attempt {
            Ok(Attempt::Migrated(applied)) => return Ok(applied),
            Ok(Attempt::Blocked(blocked)) => waiting.pause(&blocked).await?,
            Err(error) if is_busy(&error) => waiting.pause(&blocked_at(file)).await?,
            Err(error) => return Err(error),
        }
    }
}

async fn attempt<M: MigratorTrait>(session: &DatabaseConnection) -> Result<Attempt, DbErr> {
    let immediate = Some(SqliteTransactionMode::Immediate);
    let options = TransactionOptions { sqlite_transaction_mode: immediate, ..TransactionOptions::default() };
    let transaction = session.begin_with_options(options).await?;
    match up::<M>(&transaction, None).await {
        Ok(applied) => transaction.commit().await.map(|()| Attempt::Migrated(applied)),
        Err(error) => {
            // The first error counts; the connection is closed next, which rolls back as well.
            let _ = transaction.rollback().await;
            Err(error)
        }
    }
}

/// The holders of the write lock of `file`.
fn blocked_at(file: &Path) -> Blocked {
    let holders = lock_files::writers(file);
    let by = match holders.as_slice() {
        [] => format!("another program, which writes to {}", file.display()),
        holders => format!("{}, which writes to {}", holders.join(" and "), file.display()),
    };
    let remedy = "Let it finish or end it, then migrate again".to_owned();
    Blocked { by, remedy, yields_to_longer_waits: false }
}

fn is_busy(error: &DbErr) -> bool {
    code(error).and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == SQLITE_BUSY)
}

async fn connect(url: &str, waits: LockWaits) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).min_connections(1).sqlx_logging(false);
    options.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(waits.once)
            .foreign_keys(true)
            .pragma("recursive_triggers", "ON")
    });
    sea_orm::Database::connect(options).await
}
