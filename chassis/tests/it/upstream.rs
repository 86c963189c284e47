//! Defects of sqlx 0.9.0 that this project works around: its count of open transactions diverges from the database's
//! state. The tests assert today's defects, so that an upgrade that fixes one is noticed. Details are in
//! docs/upstream.md.

mod automatic_rollback;
mod cancelled;
mod nested_begin;

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use sea_orm::sqlx::{
    self, PgConnection, Sqlite, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use sqlx_core::transaction::TransactionManager;
use tempfile::TempDir;

type SqliteManager = <Sqlite as sqlx::Database>::TransactionManager;

/// A file and a pool of one connection to it, with this project's options.
struct Store {
    directory: TempDir,
    pool: SqlitePool,
}

impl Store {
    async fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options(&directory)).await.expect("a pool");
        let table = "CREATE TABLE visit (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES visit (id));
                     CREATE TABLE large (content BLOB)";
        sqlx::raw_sql(table).execute(&pool).await.expect("a table");
        Self { directory, pool }
    }

    /// sqlx's count, and whether the connection is inside a transaction.
    async fn state(&self) -> (usize, bool) {
        state(&mut self.pool.acquire().await.expect("a connection")).await
    }

    /// The committed rows: those that other processes see and that survive a restart.
    async fn committed(&self) -> Vec<i64> {
        let other = SqlitePool::connect_with(options(&self.directory)).await.expect("a pool");
        sqlx::query_scalar("SELECT id FROM visit ORDER BY id").fetch_all(&other).await.expect("rows")
    }
}

fn options(directory: &TempDir) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new().filename(directory.path().join("store.sqlite")).create_if_missing(true);
    options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full).foreign_keys(true)
}

async fn state(connection: &mut SqliteConnection) -> (usize, bool) {
    // SQLite refuses BEGIN exactly inside a transaction. This also waits for the queue of a dropped transaction.
    let in_transaction = sqlx::raw_sql("BEGIN").execute(&mut *connection).await.is_err();
    if !in_transaction {
        sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await.expect("what was just begun");
    }
    (SqliteManager::get_transaction_depth(connection), in_transaction)
}

async fn insert(connection: &mut SqliteConnection, id: i64) {
    sqlx::query("INSERT INTO visit (id) VALUES (?)").bind(id).execute(connection).await.expect("inserted");
}

/// Keeps the connection's thread busy, so that the next call on it has to wait.
fn keep_busy(connection: &mut SqliteConnection) {
    cancel(sqlx::raw_sql(SLOW).execute(connection));
}

/// The same for a session of PostgreSQL.
fn keep_session_busy(connection: &mut PgConnection) {
    cancel(sqlx::raw_sql("SELECT pg_sleep(0.5)").execute(connection));
}

const SLOW: &str = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 300000)
                    SELECT count(*) FROM number";

/// Starts a future and drops it at its first await that has to wait, as `select!`, a timeout or an aborted task may.
fn cancel(future: impl Future) {
    let polled = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Pending), "it had to wait");
}
