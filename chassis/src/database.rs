//! Connections: one file with one writer on SQLite, a pool on PostgreSQL; the database's own clock.

pub mod backup;
pub mod migrate;
pub mod wal;

use std::{collections::HashSet, time::Duration};

use sea_orm::{
    ColumnTrait, ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sea_query::{Expr, Query, SimpleExpr},
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use sea_orm_migration::{MigratorTrait, SchemaManager};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

/// Enough for three write batches, the relay and the readers; more connections than that only make
/// PostgreSQL switch between processes.
const POOL_SIZE: u32 = 16;
/// Readers do not wait for each other on SQLite; more than the cores of a small machine gain nothing.
const SQLITE_READERS: u32 = 8;
/// How long a statement waits for a connection or for SQLite's write lock before it fails.
const PATIENCE: Duration = Duration::from_secs(5);
/// PostgreSQL ends what runs away, so that one stuck session cannot hold up the service.
const SESSION_LIMITS: [(&str, &str); 3] =
    [("statement_timeout", "5s"), ("lock_timeout", "2s"), ("idle_in_transaction_session_timeout", "10s")];
/// Every statement has its index. A plan that was made for an empty table may read the whole of it for as long as the
/// connection lives, also when a foreign key is checked; and what looks dear is not worth compiling.
const PLANNER: [(&str, &str); 2] = [("enable_seqscan", "off"), ("jit", "off")];
/// Only connections that were idle this long are tested before use: testing each costs a round trip. No longer
/// than a restart of the server takes, so that none from before it is used for a client's request after it.
const TEST_WHEN_IDLE_FOR: Duration = Duration::from_millis(500);

/// Where to read and where to write. On PostgreSQL both are one pool. On SQLite writes go through one
/// connection: it has one write lock, and waiting for a connection is fair while waiting for the lock is not.
#[derive(Clone, Debug)]
pub struct Database {
    /// For queries.
    pub read: DatabaseConnection,
    /// For everything that writes.
    pub write: DatabaseConnection,
    /// For migrations, which have connections of their own.
    url: SecretString,
}

impl Database {
    /// Connects. A PostgreSQL server that is down is not an error: connections are made when needed.
    ///
    /// # Errors
    /// When the URL is malformed, or a SQLite file cannot be opened or created.
    pub async fn connect(secret_url: &SecretString) -> Result<Self, DbErr> {
        let url = secret_url.expose_secret();
        if url.starts_with("sqlite:") {
            create_parent_directory(url)?;
            // The writer first: it creates the file and switches it to write-ahead logging.
            let write = sea_orm::Database::connect(sqlite(url, 1)).await?;
            let read = sea_orm::Database::connect(sqlite(url, SQLITE_READERS)).await?;
            return Ok(Self { read, write, url: secret_url.clone() });
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            // Without the URL: it may hold a password.
            return Err(DbErr::Custom("the database URL must begin with sqlite: or postgres://".to_owned()));
        }
        let pool = sea_orm::Database::connect(postgres(url, POOL_SIZE)).await.map_err(|error| without(url, &error))?;
        Ok(Self { read: pool.clone(), write: pool, url: secret_url.clone() })
    }

    /// Begins a transaction that writes. On SQLite it takes the write lock at once: one that begins by
    /// reading would fail, not wait, when another writer was faster.
    ///
    /// # Errors
    /// When the database cannot be reached or stays locked.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let immediate = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode: immediate, ..TransactionOptions::default() };
        self.write.begin_with_options(options).await
    }

    /// Brings the schema up to date; replicas that start together take turns.
    ///
    /// # Errors
    /// When the database cannot be reached, a migration fails, or a lock is held for too long.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<(), DbErr> {
        migrate::run::<M>(&self.url, migrate::LockWaits::default()).await
    }

    /// The names of migrations that have not been applied.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn pending_migrations<M: MigratorTrait>(&self) -> Result<Vec<String>, DbErr> {
        let names = M::migrations().into_iter().map(|migration| migration.name().to_owned());
        if !SchemaManager::new(&self.read).has_table(M::migration_table_name().to_string()).await? {
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
}

/// That `column` is one of `ids`. On PostgreSQL it is one statement for lists of every length: as a list of values
/// each would be another, to be planned by each connection anew. One alone is compared as such, since PostgreSQL
/// plans short arrays each time.
pub fn is_one_of(backend: DbBackend, column: impl ColumnTrait, ids: impl IntoIterator<Item = Uuid>) -> SimpleExpr {
    let ids: Vec<_> = ids.into_iter().collect();
    match (backend, ids.as_slice()) {
        (_, [id]) => column.eq(*id),
        (DbBackend::Postgres, _) => column.eq_any(ids),
        _ => column.is_in(ids),
    }
}

/// The database's own time plus an offset, as SQL: who is due must not depend on a replica's clock.
#[must_use]
pub fn now_plus(backend: DbBackend, offset: impl Into<Seconds>) -> SimpleExpr {
    let Seconds(seconds) = offset.into();
    match backend {
        DbBackend::Sqlite => {
            Expr::cust_with_exprs("strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', printf('%+.3f seconds', ?))", [seconds])
        }
        _ => Expr::cust_with_exprs("clock_timestamp() + make_interval(secs => $1)", [seconds]),
    }
}

/// A time span in SQL: a fixed one, or an expression that gives seconds.
#[derive(Debug)]
pub struct Seconds(SimpleExpr);

impl From<Duration> for Seconds {
    fn from(duration: Duration) -> Self {
        Self(Expr::value(duration.as_secs_f64()))
    }
}

impl From<SimpleExpr> for Seconds {
    fn from(seconds: SimpleExpr) -> Self {
        Self(seconds)
    }
}

fn sqlite(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).min_connections(1).acquire_timeout(PATIENCE).sqlx_logging(false);
    options.map_sqlx_sqlite_opts(|sqlite| {
        sqlite
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: with NORMAL the last commits could vanish when the power fails.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(PATIENCE)
            .foreign_keys(true)
    });
    options
}

fn postgres(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).acquire_timeout(PATIENCE).sqlx_logging(false).connect_lazy(true);
    options.test_before_acquire_if_idle_for(TEST_WHEN_IDLE_FOR);
    options.map_sqlx_postgres_opts(|postgres| postgres.options(SESSION_LIMITS).options(PLANNER));
    options
}

/// Drivers quote a malformed URL, which may hold a password.
fn without(url: &str, error: &DbErr) -> DbErr {
    DbErr::Custom(error.to_string().replace(url, "(the database URL)"))
}

fn create_parent_directory(url: &str) -> Result<(), DbErr> {
    let options: SqliteConnectOptions = url.parse().map_err(|error| DbErr::Custom(format!("{url}: {error}")))?;
    let Some(parent) = options.get_filename().parent() else { return Ok(()) };
    std::fs::create_dir_all(parent)
        .map_err(|error| DbErr::Custom(format!("cannot create {}: {error}", parent.display())))
}
