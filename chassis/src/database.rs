//! Connections: one file with one writer on SQLite, a pool on PostgreSQL; the database's own clock.
//!
//! Every statement has a deadline, and only a connection that nothing speaks against is used again: `connections`,
//! `session` and `transaction` are the one place where that is decided.

mod connections;
mod faults;
mod session;
mod sql;
mod transaction;

use std::{collections::HashSet, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    sea_query::Query,
    sqlx::{
        self, ConnectOptions as _,
        postgres::{PgConnectOptions, PgPool, PgPoolOptions},
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};
use sea_orm_migration::MigratorTrait;
use secrecy::{ExposeSecret, SecretString};

use crate::{clock, seeded_bug::is_seeded};
use session::Options;

pub use connections::Connections;
pub use faults::{code, is_about_rows};
pub use sql::{Seconds, is_one_of, now, now_plus};
pub use transaction::Transaction;

/// Enough for three write batches, the relay and the readers; more connections than that only make
/// PostgreSQL switch between processes.
pub const DEFAULT_CONNECTIONS: usize = 16;
/// Readers do not wait for each other on SQLite; more than the cores of a small machine gain nothing.
const SQLITE_READERS: usize = 8;
/// The longest wait for SQLite's write lock. Shorter than a statement's deadline, since its error says what it was.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest wait for the connection on which notifications come.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// PostgreSQL ends what runs away, so that one stuck session cannot hold up the service.
const SESSION_LIMITS: [(&str, &str); 3] =
    [("statement_timeout", "5s"), ("lock_timeout", "2s"), ("idle_in_transaction_session_timeout", "10s")];
/// Every statement has its index. A plan that was made for an empty table may read the whole of it for as long as the
/// connection lives, also when a foreign key is checked; and what looks dear is not worth compiling.
const PLANNER: [(&str, &str); 2] = [("enable_seqscan", "off"), ("jit", "off")];
/// Names the advisory lock under which migrations run, when several replicas start at once.
const MIGRATION_LOCK: i64 = 0x6d69_6772_6174_6531;
/// The commit of a transaction that wrote this waits for a synchronous standby, as every commit that wrote. It needs no
/// privilege and locks nothing.
const WRITE_TO_LOG: &str = "SELECT pg_logical_emit_message(true, 'durable', '')";

/// Where to read and where to write. On PostgreSQL both are one pool. On SQLite writes go through one
/// connection: it has one write lock, and waiting for a connection is fair while waiting for the lock is not.
#[derive(Clone, Debug)]
pub struct Database {
    /// For queries.
    pub read: Connections,
    /// For everything that writes.
    pub write: Connections,
    options: Options,
}

impl Database {
    /// Connects, with at most [`DEFAULT_CONNECTIONS`] at once.
    ///
    /// # Errors
    /// See [`Database::open`].
    pub async fn connect(url: &SecretString) -> Result<Self, DbErr> {
        Self::open(url, DEFAULT_CONNECTIONS).await
    }

    /// Connects, to PostgreSQL with at most `connections` at once. A server that is down is not an error: connections
    /// are made when needed.
    ///
    /// # Errors
    /// When the URL is malformed, or a SQLite file cannot be opened or created.
    pub async fn open(url: &SecretString, connections: usize) -> Result<Self, DbErr> {
        let url = url.expose_secret();
        if url.starts_with("sqlite:") {
            let options = Options::Sqlite(sqlite(url)?);
            // The writer first: it creates the file and switches it to write-ahead logging.
            let write = Connections::new(options.clone(), 1);
            drop(write.lease().await?.end(Ok(())));
            return Ok(Self { read: Connections::new(options.clone(), SQLITE_READERS), write, options });
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            // Without the URL: it may hold a password.
            return Err(DbErr::Custom("the database URL must begin with sqlite: or postgres://".to_owned()));
        }
        let options = Options::Postgres(postgres(url)?);
        let pool = Connections::new(options.clone(), connections);
        Ok(Self { read: pool.clone(), write: pool, options })
    }

    /// Begins a transaction that writes.
    ///
    /// # Errors
    /// When the database cannot be reached or stays locked.
    pub async fn begin(&self) -> Result<Transaction, DbErr> {
        Transaction::begin(&self.write).await
    }

    /// Waits until everything that was read before is as durable as a commit made now. After a restart PostgreSQL shows
    /// what it had committed before a synchronous standby confirmed it, and that standby may yet take over without it.
    ///
    /// # Errors
    /// When the database cannot be reached or the standby does not answer.
    pub async fn make_durable(&self) -> Result<(), DbErr> {
        // SQLite has synced what other connections can read; what a crash left unsynced, when the file was opened.
        if self.write.get_database_backend() == DbBackend::Postgres && !is_seeded("unsynced-repeat") {
            let write = Statement::from_string(DbBackend::Postgres, WRITE_TO_LOG);
            self.write.execute_raw(write).await?;
        }
        Ok(())
    }

    /// Brings the schema up to date; replicas that start together take turns.
    ///
    /// # Errors
    /// When the database cannot be reached or a migration fails.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<(), DbErr> {
        // The lock belongs to the transaction, so that it goes with it whatever happens.
        let immediate = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode: immediate, ..TransactionOptions::default() };
        let connection = self.options.for_migrations();
        let transaction = connection.begin_with_options(options).await?;
        if transaction.get_database_backend() == DbBackend::Postgres {
            // The limits and the planner's settings are for requests: a migration may read whole tables.
            transaction
                .execute_unprepared(
                    "SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = 0; SET LOCAL enable_seqscan = on",
                )
                .await?;
            transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
        }
        M::up(&transaction, None).await?;
        transaction.commit().await?;
        connection.close().await
    }

    /// The names of migrations that have not been applied.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn pending_migrations<M: MigratorTrait>(&self) -> Result<Vec<String>, DbErr> {
        let names = M::migrations().into_iter().map(|migration| migration.name().to_owned());
        if !self.has_table(&M::migration_table_name().to_string()).await? {
            return Ok(names.collect());
        }
        // Not the migrator's own list, which fails where a newer version has applied more: in an upgrade the
        // old replicas must stay ready until they are replaced.
        let applied = Query::select().column("version").from(M::migration_table_name()).to_owned();
        let applied = self.read.query_all(&applied).await?;
        let applied: HashSet<String> =
            applied.iter().map(|row| row.try_get("", "version")).collect::<Result<_, _>>()?;
        Ok(names.filter(|name| !applied.contains(name)).collect())
    }

    /// How far this process's clock is ahead of the database's, which is not writable if this fails.
    pub(crate) async fn clock_difference(&self) -> Result<TimeDelta, DbErr> {
        if self.read.get_database_backend() == DbBackend::Sqlite {
            return Ok(TimeDelta::zero());
        }
        let asked_at = clock::now();
        let question = "SELECT clock_timestamp(), current_setting('transaction_read_only')::boolean";
        let answer = self.read.query_one_raw(Statement::from_string(DbBackend::Postgres, question)).await?;
        let answer = answer.ok_or_else(|| DbErr::Custom("the database does not tell the time".to_owned()))?;
        if answer.try_get_by_index(1)? {
            return Err(DbErr::Custom(faults::READ_ONLY.to_owned()));
        }
        // It was read somewhere in between.
        let way = (clock::now() - asked_at) / 2;
        Ok(asked_at + way - answer.try_get_by_index::<DateTime<Utc>>(0)?)
    }

    /// Writes to a SQLite file: a full disk, a file or a directory that cannot be written fail it.
    pub(crate) async fn write_to_file(&self) -> Result<(), DbErr> {
        if self.write.get_database_backend() == DbBackend::Sqlite {
            self.write.execute_unprepared("PRAGMA user_version = 1").await?;
        }
        Ok(())
    }

    /// Closes connections that were not used for `idle`, but for one.
    pub(crate) fn close_idle(&self, idle: Duration) {
        self.read.close_idle(idle);
        self.write.close_idle(idle);
    }

    async fn has_table(&self, name: &str) -> Result<bool, DbErr> {
        let backend = self.read.get_database_backend();
        let sql = match backend {
            DbBackend::Sqlite => "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1",
            _ => "SELECT 1 WHERE to_regclass($1) IS NOT NULL",
        };
        let found = self.read.query_one_raw(Statement::from_sql_and_values(backend, sql, [name.into()])).await?;
        Ok(found.is_some())
    }

    /// The connection on which to be notified by PostgreSQL: one of its own, which nothing else uses.
    pub(crate) fn notifications(&self) -> Option<PgPool> {
        let Options::Postgres(postgres) = &self.options else { return None };
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT_TIMEOUT);
        Some(pool.connect_lazy_with(postgres.clone()))
    }
}

fn sqlite(url: &str) -> Result<SqliteConnectOptions, DbErr> {
    let options: SqliteConnectOptions = url.parse().map_err(|error| DbErr::Custom(format!("{url}: {error}")))?;
    create_parent_directory(&options)?;
    Ok(options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: with NORMAL the last commits could vanish when the power fails.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .disable_statement_logging())
}

fn postgres(url: &str) -> Result<PgConnectOptions, DbErr> {
    // Drivers quote a malformed URL, which may hold a password.
    let without_url = |error: sqlx::Error| DbErr::Custom(error.to_string().replace(url, "(the database URL)"));
    let options: PgConnectOptions = url.parse().map_err(without_url)?;
    Ok(options.options(SESSION_LIMITS).options(PLANNER).disable_statement_logging())
}

fn create_parent_directory(options: &SqliteConnectOptions) -> Result<(), DbErr> {
    let Some(parent) = options.get_filename().parent() else { return Ok(()) };
    std::fs::create_dir_all(parent)
        .map_err(|error| DbErr::Custom(format!("cannot create {}: {error}", parent.display())))
}
