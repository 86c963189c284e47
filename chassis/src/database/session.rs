//! One database connection, with a deadline for each statement.
//!
//! sqlx's own transactions are not used: after a failed COMMIT its nesting depth differs from the database's.

use std::{future::Future, io, time::Duration};

use sea_orm::{
    ExecResult, QueryResult, Statement, Values,
    sqlx::{
        self, AssertSqlSafe, ConnectOptions, Connection, Error, Executor, postgres::PgConnection,
        sqlite::SqliteConnection,
    },
};
use sea_query_sqlx::SqlxValues;

use super::options::{Backend, Options, Target};

/// Longest wait for the answer to a statement. Above PostgreSQL's `statement_timeout` and SQLite's busy timeout, whose
/// errors are more specific: this one ends the wait for a silent network or disk.
const STATEMENT_DEADLINE: Duration = Duration::from_secs(6);
/// Longest wait for the ping of an idle connection.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid = $1 AND backend_start::text = $2";

/// A connection. Dropping it closes it, and the database rolls back its transaction.
#[derive(Debug)]
pub(super) enum Session {
    Sqlite(SqliteConnection),
    Postgres(PgConnection, Backend),
}

/// Runs one expression on either connection.
macro_rules! on_either {
    ($session:expr, $connection:ident => $run:expr) => {
        match $session {
            Session::Sqlite($connection) => $run,
            Session::Postgres($connection, _) => $run,
        }
    };
}

impl Session {
    /// Connects. Only with [`Target::Any`] the server may be a standby.
    pub(super) async fn connect(options: &Options, target: Target) -> Result<Self, Error> {
        match options {
            Options::Sqlite(sqlite) => Ok(Self::Sqlite(sqlite.connect().await?)),
            Options::Postgres(servers) => {
                let (connection, backend) = servers.connect(target).await?;
                Ok(Self::Postgres(connection, backend))
            }
        }
    }

    pub(super) async fn execute(&mut self, statement: Statement) -> Result<ExecResult, Error> {
        let (sql, values) = parts(statement);
        on_either!(self, connection => within_deadline(sqlx::query_with(sql, values).execute(connection)).await.map(Into::into))
    }

    pub(super) async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        on_either!(self, connection => within_deadline(connection.execute(sql)).await.map(Into::into))
    }

    pub(super) async fn query_one(&mut self, statement: Statement) -> Result<Option<QueryResult>, Error> {
        let (sql, values) = parts(statement);
        on_either!(self, connection => {
            let row = within_deadline(sqlx::query_with(sql, values).fetch_optional(connection)).await?;
            Ok(row.map(Into::into))
        })
    }

    pub(super) async fn query_all(&mut self, statement: Statement) -> Result<Vec<QueryResult>, Error> {
        let (sql, values) = parts(statement);
        on_either!(self, connection => {
            let rows = within_deadline(sqlx::query_with(sql, values).fetch_all(connection)).await?;
            Ok(rows.into_iter().map(Into::into).collect())
        })
    }

    /// Fails unless the server answers.
    pub(super) async fn ping(&mut self) -> Result<(), Error> {
        on_either!(self, connection => within(PING_TIMEOUT, connection.ping()).await)
    }

    /// The connection to SQLite, if it is one.
    pub(super) fn sqlite(&mut self) -> Option<&mut SqliteConnection> {
        if let Self::Sqlite(connection) = self { Some(connection) } else { None }
    }

    /// The server's end, which may survive the connection.
    pub(super) fn backend(&self) -> Option<Backend> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(_, backend) => Some(backend.clone()),
        }
    }

    /// Terminates another session on the server. Its commits stay, whether a standby has confirmed them or not.
    pub(super) async fn terminate(&mut self, backend: &Backend) -> Result<(), Error> {
        let Self::Postgres(connection, _) = self else { return Ok(()) };
        let terminate = sqlx::query(TERMINATE).bind(backend.pid).bind(&backend.started);
        within_deadline(terminate.execute(connection)).await.map(drop)
    }

    /// Closes the connection and waits: SQLite then cleans up its files.
    pub(super) async fn close(self) -> Result<(), Error> {
        on_either!(self, connection => within_deadline(connection.close()).await)
    }
}

/// Converts a statement of SeaORM for sqlx.
fn parts(statement: Statement) -> (AssertSqlSafe<String>, SqlxValues) {
    // Safe: the values are not part of the text.
    (AssertSqlSafe(statement.sql), SqlxValues(statement.values.unwrap_or_else(|| Values(Vec::new()))))
}

async fn within_deadline<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    within(STATEMENT_DEADLINE, answer).await
}

async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| {
        let silence = format!("the database did not answer within {} s; the connection is closed", limit.as_secs());
        Err(Error::Io(io::Error::new(io::ErrorKind::TimedOut, silence)))
    })
}
