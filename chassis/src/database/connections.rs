//! Connection pool for SeaORM. A statement leases a connection. Only a success, or an error about the statement,
//! returns it to the pool; a lease that ends in any other way closes it.

mod closing;
mod lease;
mod pools;

use std::{fmt, sync::Arc, time::Duration};

use deadpool::managed::{Pool, PoolError, QueueMode};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use sea_orm_migration::async_trait::async_trait;
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    concurrency::{self, ConcurrencyLimit},
    connector::Connector,
    faults,
    options::{Options, Target},
};

/// Longest wait for a connection, whether all are busy or the server is unreachable. Together with a statement's
/// deadline it is below the 10 s within which a client is answered.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// Interval between attempts to connect to a server that is starting or has no room.
const CONNECT_RETRY_INTERVAL: Duration = Duration::from_millis(50);

pub(super) use lease::Lease;

/// Called with the SQL of each statement.
type Observer = Arc<dyn Fn(&str) + Send + Sync>;

/// Connections to one database, each for one statement at a time.
#[derive(Clone)]
pub struct Connections {
    pool: Pool<Connector>,
    backend: DbBackend,
    /// Time for which connecting is retried.
    retry_for: Duration,
    address: Arc<str>,
    /// Limits that every statement through this handle passes, in this order.
    limits: [Option<Arc<ConcurrencyLimit>>; 2],
    observer: Option<Observer>,
}

impl Connections {
    pub(super) fn new(options: Options, size: usize) -> Result<Self, DbErr> {
        Self::to(Target::ReadWrite, options, size)
    }

    /// Connections that may lead to a standby.
    pub(super) fn to_any(options: Options, size: usize) -> Result<Self, DbErr> {
        Self::to(Target::Any, options, size)
    }

    fn to(target: Target, options: Options, size: usize) -> Result<Self, DbErr> {
        let backend = match options {
            Options::Sqlite(_) => DbBackend::Sqlite,
            Options::Postgres(_) => DbBackend::Postgres,
        };
        let address = options.address().into();
        // LIFO: after a burst the surplus connections become idle and are closed.
        let pool = Pool::builder(Connector::new(options, target)).max_size(size).queue_mode(QueueMode::Lifo).build();
        let pool = pool.map_err(|error| DbErr::Custom(error.to_string()))?;
        Ok(Self { pool, backend, address, retry_for: ACQUIRE_TIMEOUT, limits: [None, None], observer: None })
    }

    /// Fails on the first failure to connect.
    pub(super) fn without_retry(self) -> Self {
        Self { retry_for: Duration::ZERO, ..self }
    }

    /// The same connections, of which this handle uses at most `places` at once.
    pub(super) fn at_most(&self, places: usize) -> Self {
        let [outer, _] = self.limits.clone();
        Self { limits: [Some(Arc::new(ConcurrencyLimit::new(places))), outer], ..self.clone() }
    }

    /// Calls `observer` with the SQL of each later statement through this handle and its clones.
    pub fn observe(&mut self, observer: impl Fn(&str) + Send + Sync + 'static) {
        self.observer = Some(Arc::new(observer));
    }

    /// Address for people: a file, a socket, or host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Whether every connection is in use.
    fn are_all_busy(&self) -> bool {
        let status = self.pool.status();
        status.available == 0 && status.size == status.max_size
    }

    pub(super) fn observe_statement(&self, sql: &str) {
        if let Some(observer) = &self.observer {
            observer(sql);
        }
    }

    /// A connection; tested first if it was idle.
    pub(super) async fn lease(&self) -> Result<Lease, DbErr> {
        let began = Instant::now();
        let deadline = began + ACQUIRE_TIMEOUT;
        let mut places = [None, None];
        for (place, limit) in places.iter_mut().zip(&self.limits) {
            if let Some(limit) = limit {
                let entered = limit.enter(deadline).await;
                // Without any connection those who have the places cannot connect either: that is no overload.
                *place = Some(
                    entered.map_err(|full| if self.pool.status().size > 0 { full } else { self.no_connection() })?,
                );
            }
        }
        let mut last_failure = None;
        let cannot_connect = |error| faults::about_connecting(&self.address, error);
        loop {
            match timeout_at(deadline, self.pool.get()).await {
                Ok(Ok(object)) => return Ok(Lease::new(object, places)),
                // Another connection may have been returned meanwhile. With a smaller pool a service only slows down.
                Ok(Err(PoolError::Backend(error))) if faults::is_transient_connecting(&error) => {
                    if began.elapsed() + CONNECT_RETRY_INTERVAL > self.retry_for {
                        return Err(cannot_connect(error));
                    }
                    last_failure = Some(error);
                    sleep(CONNECT_RETRY_INTERVAL).await;
                }
                Ok(Err(PoolError::Backend(error))) => return Err(cannot_connect(error)),
                Ok(Err(other)) => return Err(DbErr::Custom(other.to_string())),
                Err(_) if self.limits[0].is_some() && self.are_all_busy() => return Err(concurrency::overload()),
                Err(_) => return Err(last_failure.map_or_else(|| self.no_connection(), cannot_connect)),
            }
        }
    }

    fn no_connection(&self) -> DbErr {
        let (size, limit) = (self.pool.status().max_size, ACQUIRE_TIMEOUT.as_secs());
        let why = if self.are_all_busy() { format!("all {size} {}", faults::ARE_BUSY) } else { "no answer".to_owned() };
        faults::about_connecting(&self.address, format!("not within {limit} s: {why}"))
    }
}

#[async_trait]
impl ConnectionTrait for Connections {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.observe_statement(&statement.sql);
        let mut lease = self.lease().await?;
        let result = lease.session()?.execute(statement).await;
        lease.end(result)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.observe_statement(sql);
        let mut lease = self.lease().await?;
        let result = lease.session()?.execute_unprepared(sql).await;
        lease.end(result)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.observe_statement(&statement.sql);
        let mut lease = self.lease().await?;
        let result = lease.session()?.query_one(statement).await;
        lease.end(result)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.observe_statement(&statement.sql);
        let mut lease = self.lease().await?;
        let result = lease.session()?.query_all(statement).await;
        lease.end(result)
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("backend", &self.backend)
            .field("status", &self.pool.status())
            .finish_non_exhaustive()
    }
}
