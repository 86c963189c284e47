//! Connections: one file with one writer on SQLite, a pool on PostgreSQL; the database's own clock.
//!
//! Every statement has a deadline, and a connection with any sign of failure is closed instead of used again:
//! `connections`, `session` and `transaction` are the one place where that is decided.

mod checks;
mod connections;
mod connector;
mod faults;
mod gate;
mod options;
mod private_file;
mod served_file;
mod session;
mod sql;
mod transaction;

pub mod backup;
pub mod migrate;
pub mod wal;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, Statement,
    sqlx::postgres::{PgPool, PgPoolOptions},
};
use sea_orm_migration::MigratorTrait;
use secrecy::{ExposeSecret, SecretString};

use crate::seeded_bug::is_seeded;
use migrate::LockWaits;
use options::Options;
use served_file::ServedFile;
use wal::Keeper;

pub use connections::Connections;
pub use faults::{is_about_rows, is_unavailable, may_be_done};
pub(crate) use faults::{is_busy, is_read_only};
pub(crate) use gate::is_overload;
pub use private_file::create_directory;
pub use sql::{is_one_of, now};
pub use transaction::Transaction;

/// Enough for three write batches, the relay and the readers; more connections than that only make
/// PostgreSQL switch between processes.
pub const DEFAULT_CONNECTIONS: usize = 16;
/// Readers do not wait for each other on SQLite; more than the cores of a small machine gain nothing.
const SQLITE_READERS: usize = 8;
/// Of the connections to PostgreSQL, the part that reads may take: the others are left to writers, however much is read.
const READERS_OF_ALL: usize = 2;
/// Counts read all that matches, each for long: a few at once, so that they leave places to other reads.
const COUNTERS: usize = 2;
/// The longest wait for the connection on which notifications come.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The commit of a transaction that wrote this waits for a synchronous standby, as every commit that wrote. It needs no
/// privilege and locks nothing.
const WRITE_TO_LOG: &str = "SELECT pg_logical_emit_message(true, 'durable', '')";

/// Where to read and where to write. On PostgreSQL both are one pool, of which reads have a part. On SQLite writes go
/// through one connection: it has one write lock, and waiting for a connection is fair while waiting for the lock is not.
#[derive(Clone, Debug)]
pub struct Database {
    /// For queries of clients. When too many wait, more are refused as an overload.
    pub read: Connections,
    /// For counts of what a client asked for: the same connections, of which they take a few at once.
    pub count: Connections,
    /// For everything that writes.
    pub write: Connections,
    /// For the check of readiness: on PostgreSQL one that no request can take.
    check: Connections,
    options: Options,
    /// For migrations, which have connections of their own.
    url: SecretString,
    /// The SQLite file of a service.
    served: Arc<Mutex<Option<ServedFile>>>,
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
        let options = Options::of(url.expose_secret())?;
        let served = Arc::default();
        if let Options::Sqlite(_) = &options {
            if let Some(file) = options.file() {
                private_file::create(file)?;
            }
            // The writer first: it switches it to write-ahead logging.
            let write = Connections::new(options.clone(), 1)?;
            drop(write.lease().await?.end(Ok(())));
            let read = Connections::new(options.clone(), SQLITE_READERS)?.at_most(SQLITE_READERS);
            let (count, check) = (read.at_most(COUNTERS), write.clone());
            return Ok(Self { read, count, write, check, options, url: url.clone(), served });
        }
        let write = Connections::new(options.clone(), connections)?;
        let read = write.at_most((connections / READERS_OF_ALL).max(1));
        let count = read.at_most(COUNTERS);
        let check = Connections::new(options.clone(), 1)?.without_retry();
        Ok(Self { read, count, write, check, options, url: url.clone(), served })
    }

    /// Whether this is the URL of a database, which need not be there.
    ///
    /// # Errors
    /// When the URL is malformed.
    pub fn check(url: &SecretString) -> Result<(), DbErr> {
        Options::of(url.expose_secret()).map(drop)
    }

    /// Connects for a command that runs beside the service, or after it was killed: a SQLite file keeps its log.
    ///
    /// # Errors
    /// See [`Database::open`]; also when there is no such SQLite file.
    pub async fn open_beside(url: &SecretString) -> Result<Self, DbErr> {
        let options = Options::of(url.expose_secret())?;
        if let Options::Sqlite(sqlite) = &options {
            let file = sqlite.get_filename();
            if !file.exists() {
                return Err(DbErr::Custom(format!("there is no database at {}", file.display())));
            }
            // Until the process ends: it is closed after all other connections.
            let keeper = Keeper::of_used_log(file).await;
            let keeper = keeper.map_err(|error| faults::about_connecting(&options.address(), error))?;
            std::mem::forget(keeper);
        }
        Self::connect(url).await
    }

    /// Says that a service uses the database from now on: a SQLite file is marked so, and its log is watched.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub async fn begin_service(&self) -> Result<(), DbErr> {
        if let Some(file) = self.options.file() {
            let served = ServedFile::open(&self.write, file).await?;
            *self.served.lock().unwrap_or_else(PoisonError::into_inner) = Some(served);
        }
        Ok(())
    }

    /// Ends what [`Database::begin_service`] began, after the last write, and closes all connections.
    ///
    /// # Errors
    /// When the file cannot be written: it then looks like that of a service that was killed, which loses nothing.
    pub async fn end_service(&self) -> Result<(), DbErr> {
        let served = self.served.lock().unwrap_or_else(PoisonError::into_inner).take();
        if matches!(self.options, Options::Postgres(_)) {
            self.check.close().await;
        }
        self.read.close().await;
        if let Some(served) = served {
            served.close(&self.write).await?;
        }
        self.write.close().await;
        Ok(())
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
    /// When the database cannot be reached, a migration fails, or a lock is held for too long.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<(), DbErr> {
        migrate::run::<M>(&self.url, LockWaits::default()).await.map(drop)
    }

    /// The connection on which to be notified by PostgreSQL: one of its own, which nothing else uses.
    pub(crate) fn notifications(&self) -> Option<PgPool> {
        let Options::Postgres(postgres) = &self.options else { return None };
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT_TIMEOUT);
        Some(pool.connect_lazy_with(postgres.clone()))
    }
}
