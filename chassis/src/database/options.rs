//! Connection options, from a URL: limits of a session and durability of a commit.

mod poolers;
mod servers;

use std::{path::Path, time::Duration};

use tokio::time::timeout;

use sea_orm::{
    DbErr,
    sqlx::{
        ConnectOptions as _, Error,
        postgres::{PgConnectOptions, PgPool, PgPoolOptions},
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};

pub(super) use poolers::Backend;
pub(super) use servers::{Servers, Target};

use super::faults;

/// Longest wait for a connection beside the pool's.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest wait for SQLite's write lock. Below a statement's deadline, since its error names the cause.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// PostgreSQL ends runaway statements, so that one stuck session cannot hold up the service.
const SESSION_LIMITS: [(&str, &str); 3] =
    [("statement_timeout", "5s"), ("lock_timeout", "2s"), ("idle_in_transaction_session_timeout", "10s")];
/// Every statement has its index. A plan made for an empty table may scan the whole table for as long as the connection
/// lives, also in a foreign key check. JIT compilation never pays for these statements.
const PLANNER: [(&str, &str); 2] = [("enable_seqscan", "off"), ("jit", "off")];

/// The driver's name for a database without a file.
const IN_MEMORY: &str = "file:sqlx-in-memory";

/// Options of either database.
#[derive(Clone, Debug)]
pub(super) enum Options {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres(Servers),
}

impl Options {
    /// Parses a URL.
    pub(super) fn of(url: &str) -> Result<Self, DbErr> {
        if url.starts_with("sqlite:") {
            sqlite(url).map(Box::new).map(Self::Sqlite)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let ours =
                |server: PgConnectOptions| server.options(SESSION_LIMITS).options(PLANNER).disable_statement_logging();
            Servers::of(url, ours).map(Self::Postgres)
        } else {
            // Without the URL: it may hold a password.
            Err(DbErr::Custom("the database URL must begin with sqlite: or postgres://".to_owned()))
        }
    }
}

impl Options {
    /// File of a SQLite database; `None` in memory.
    pub(super) fn file(&self) -> Option<&Path> {
        let Self::Sqlite(sqlite) = self else { return None };
        Some(sqlite.get_filename()).filter(|file| !file.to_string_lossy().starts_with(IN_MEMORY))
    }

    /// Fails when a pooler is before PostgreSQL that a service cannot work with.
    pub(super) async fn check_pooler(&self) -> Result<(), DbErr> {
        let Self::Postgres(servers) = self else { return Ok(()) };
        match timeout(CONNECT_TIMEOUT, servers.connect(Target::ReadWrite)).await {
            Ok(Err(error @ Error::Configuration(_))) => Err(faults::about_connecting(&self.address(), error)),
            // The readiness check reports what is wrong otherwise.
            _ => Ok(()),
        }
    }

    /// One connection to PostgreSQL for notifications: to the server that is the primary now.
    pub(super) fn notifications(&self) -> Option<PgPool> {
        let Self::Postgres(servers) = self else { return None };
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT_TIMEOUT);
        Some(pool.connect_lazy_with(servers.preferred().clone()))
    }

    /// Address for people: a file, or each socket, or host and port.
    pub(super) fn address(&self) -> String {
        match self {
            Self::Sqlite(sqlite) => sqlite.get_filename().display().to_string(),
            Self::Postgres(servers) => servers.to_string(),
        }
    }
}

fn sqlite(url: &str) -> Result<SqliteConnectOptions, DbErr> {
    let options: SqliteConnectOptions = url.parse().map_err(|error| DbErr::Custom(format!("{url}: {error}")))?;
    Ok(options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: with NORMAL a power failure could lose the last commits.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        // REPLACE then fires the triggers of deletion, which refuse it.
        .pragma("recursive_triggers", "ON")
        .disable_statement_logging())
}
