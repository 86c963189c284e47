//! Database access: one file with one writer on SQLite, a pool on PostgreSQL; the database's own clock.
//!
//! Every statement has a deadline. A connection with any sign of failure is closed instead of reused: `connections`,
//! `session` and `transaction` alone decide this.
//!
//! Errors: a function that returns `DbErr` fails when the database cannot be reached, does not answer in time or stays
//! locked.

#![expect(clippy::missing_errors_doc, reason = "the module says it once; functions name only further errors")]

mod checks;
mod concurrency;
mod connections;
mod connector;
mod faults;
#[cfg(feature = "seeded-mistakes")]
mod mistakes;
mod options;
pub mod paging;
mod private_file;
mod replica;
mod served_file;
mod service;
mod session;
mod sql;
mod transaction;

pub mod backup;
pub mod migrate;
pub mod source;
pub mod wal;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use sea_orm::{DbErr, sqlx::postgres::PgPool};
use sea_orm_migration::MigratorTrait;
use secrecy::{ExposeSecret, SecretString};

use migrate::LockWaits;
#[cfg(feature = "seeded-mistakes")]
use mistakes::Session;
use options::Options;
use replica::Replica;
use served_file::ServedFile;
#[cfg(not(feature = "seeded-mistakes"))]
use session::Session;
use wal::Keeper;

pub(crate) use checks::MigrationState;
pub(crate) use concurrency::is_overload;
pub use connections::Connections;
pub use faults::{is_about_rows, is_unavailable, may_be_done};
pub(crate) use faults::{is_busy, is_read_only};
pub use private_file::create_directory;
pub use replica::{DEFAULT_MAX_STALENESS, ReadReplica, ReplicaReads, queries_on_replica};
pub use sql::{is_one_of, now, time_key, time_key_of, time_key_within};
pub use transaction::Transaction;

/// Enough for three write batches, the background tasks and the readers. More connections only make PostgreSQL switch
/// between processes.
pub const DEFAULT_CONNECTIONS: usize = 16;
/// SQLite's readers do not block each other. More readers than a small machine's cores gain nothing.
const SQLITE_READERS: usize = 8;
/// Reads may take 1/2 of the connections to PostgreSQL. The others stay free for writes, whatever the read load.
const READ_DIVISOR: usize = 2;
/// A count reads all matching rows and takes long. A small number at once leaves connections for other reads.
const MAX_COUNTS: usize = 2;
/// A transaction with this record waits at COMMIT for a synchronous standby, as any that wrote. The statement needs no
/// privilege and locks nothing.
const WRITE_TO_LOG: &str = "SELECT pg_logical_emit_message(true, 'durable', '')";

/// Connections by purpose. On PostgreSQL reads and writes share one pool; reads may take a part of it. On SQLite writes
/// use one connection: the file has one write lock, and the queue for a connection is fair while that for the lock is
/// not.
#[derive(Clone, Debug)]
pub struct Database {
    /// For clients' queries. Beyond a bounded queue they are refused as an overload.
    pub read: Connections,
    /// For clients' counts, a few at once: of those of `read`, on SQLite others, since a count fills a page cache.
    pub count: Connections,
    /// For writes.
    pub write: Connections,
    /// For what the service reads by itself, which is never refused: on SQLite a connection that keeps no write waiting.
    pub background: Connections,
    /// For the readiness check: on PostgreSQL a connection that no request can take.
    check: Connections,
    options: Options,
    /// For migrations, which use connections of their own.
    url: SecretString,
    /// The SQLite file, while a service uses it.
    served: Arc<Mutex<Option<ServedFile>>>,
    replica: Option<Arc<Replica>>,
    /// How late the rows of `read` and `count` may be: zero but on a replica.
    max_staleness: Duration,
}

impl Database {
    /// Connects, with at most [`DEFAULT_CONNECTIONS`] at once.
    pub async fn connect(url: &SecretString) -> Result<Self, DbErr> {
        Self::open(url, DEFAULT_CONNECTIONS).await
    }

    /// Connects, to PostgreSQL with at most `connections` at once. A server that is down is no error: connections are
    /// opened on demand. Fails for a malformed URL, or a SQLite file that cannot be opened or created.
    pub async fn open(url: &SecretString, connections: usize) -> Result<Self, DbErr> {
        let options = Options::of(url.expose_secret())?;
        if let Options::Sqlite(_) = &options {
            if let Some(file) = options.file() {
                private_file::create(file)?;
            }
            let write = Connections::new(options.clone(), 1)?;
            let readers = |size| Connections::new(options.clone(), size).map(|pool| pool.at_most(size));
            let (read, count, check) = (readers(SQLITE_READERS)?, readers(MAX_COUNTS)?, write.clone());
            // The writer first: it switches to write-ahead logging. The others for when no descriptor is left.
            for pool in [&write, &read, &count] {
                pool.lease().await?.end(Ok(()))?;
            }
            let background = Connections::new(options.clone(), 1)?;
            return Ok(Self::of([read, count, write, background, check], options, url));
        }
        let write = Connections::new(options.clone(), connections)?;
        let read = write.at_most((connections / READ_DIVISOR).max(1));
        let count = read.at_most(MAX_COUNTS);
        let check = Connections::new(options.clone(), 1)?.without_retry();
        Ok(Self::of([read, count, write.clone(), write, check], options, url))
    }

    fn of([read, count, write, background, check]: [Connections; 5], options: Options, url: &SecretString) -> Self {
        let (url, served, max_staleness) = (url.clone(), Arc::default(), Duration::ZERO);
        Self { read, count, write, background, check, options, url, served, replica: None, max_staleness }
    }

    /// Validates the URL of a database, which need not exist.
    pub fn check(url: &SecretString) -> Result<(), DbErr> {
        Options::of(url.expose_secret()).map(drop)
    }

    /// Connects for a command beside the service, or after it was killed: a SQLite file keeps its log. Fails also when
    /// the SQLite file does not exist.
    pub async fn open_beside(url: &SecretString) -> Result<Self, DbErr> {
        let options = Options::of(url.expose_secret())?;
        if let Options::Sqlite(sqlite) = &options {
            let file = sqlite.get_filename();
            if !file.exists() {
                return Err(DbErr::Custom(format!("there is no database at {}: `migrate` makes one", file.display())));
            }
            // Kept until the process ends, so that it closes after all other connections.
            let keeper = Keeper::of_used_log(file).await;
            let keeper = keeper.map_err(|error| faults::about_connecting(&options.address(), error))?;
            std::mem::forget(keeper);
        }
        Self::connect(url).await
    }

    /// Begins a write transaction.
    pub async fn begin(&self) -> Result<Transaction, DbErr> {
        Transaction::begin(&self.write).await
    }

    /// Brings the schema up to date; replicas that start together take turns. Fails also when a migration fails.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<(), DbErr> {
        migrate::run::<M>(&self.url, LockWaits::default()).await.map(drop)
    }

    /// Erases deleted and replaced values from a SQLite file and its log, where they stay until something is written over
    /// them. It rewrites the file. On PostgreSQL it does nothing: VACUUM is for the owner of a table.
    pub async fn erase_deleted(&self) -> Result<(), DbErr> {
        match &self.options {
            Options::Sqlite(sqlite) => wal::erase::erase(sqlite).await,
            Options::Postgres(_) => Ok(()),
        }
    }

    /// The connection for PostgreSQL's notifications, which nothing else uses.
    pub(crate) fn notifications(&self) -> Option<PgPool> {
        self.options.notifications()
    }
}
