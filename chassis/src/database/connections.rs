//! A pool of connections that SeaORM can use. A statement takes one out under a lease. Only a success, or an error that
//! is about the statement, gives it back; a lease that ends in any other way closes it.

use std::{fmt, sync::Arc, time::Duration};

use deadpool::managed::{Object, Pool, PoolError, QueueMode};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement, sqlx::Error};
use sea_orm_migration::async_trait::async_trait;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep, timeout_at},
};

use super::{
    Session,
    connector::{Connector, terminate},
    faults,
    gate::{self, Gate},
    options::Options,
};

/// The longest wait for a connection, be it that all are busy or that the server cannot be reached. Together with the
/// deadline of a statement below the 10 s after which a client is answered.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// Between two attempts to connect to a server that starts or has no room.
const CONNECT_PAUSE: Duration = Duration::from_millis(50);

/// Called with the SQL of each statement.
type Observer = Arc<dyn Fn(&str) + Send + Sync>;

/// Connections to a database, each for one statement at a time.
#[derive(Clone)]
pub struct Connections {
    pool: Pool<Connector>,
    backend: DbBackend,
    /// How long connecting is tried again.
    retry_for: Duration,
    address: Arc<str>,
    /// Those that every statement through this handle has to pass, in this order.
    gates: [Option<Arc<Gate>>; 2],
    observer: Option<Observer>,
}

impl Connections {
    pub(super) fn new(options: Options, size: usize) -> Result<Self, DbErr> {
        let backend = match options {
            Options::Sqlite(_) => DbBackend::Sqlite,
            Options::Postgres(_) => DbBackend::Postgres,
        };
        let address = options.address().into();
        // The connection that was used last is taken first: what only a burst needed stays idle, and is closed.
        let pool = Pool::builder(Connector::new(options)).max_size(size).queue_mode(QueueMode::Lifo).build();
        let pool = pool.map_err(|error| DbErr::Custom(error.to_string()))?;
        Ok(Self { pool, backend, address, retry_for: ACQUIRE_TIMEOUT, gates: [None, None], observer: None })
    }

    /// The first failure to connect counts.
    pub(super) fn without_retry(self) -> Self {
        Self { retry_for: Duration::ZERO, ..self }
    }

    /// The same connections, of which statements through this handle take at most `places` at once.
    pub(super) fn at_most(&self, places: usize) -> Self {
        let [outer, _] = self.gates.clone();
        Self { gates: [Some(Arc::new(Gate::new(places))), outer], ..self.clone() }
    }

    /// Calls `observer` with the SQL of each statement that is sent from now on through this handle and its clones.
    pub fn observe(&mut self, observer: impl Fn(&str) + Send + Sync + 'static) {
        self.observer = Some(Arc::new(observer));
    }

    /// Closes connections that were not used for `idle`, so that other processes may have them, but for the last one.
    pub(super) fn close_idle(&self, idle: Duration) {
        let mut kept = 0;
        self.pool.retain(|_, metrics| {
            let keep = kept == 0 || metrics.last_used() < idle;
            kept += usize::from(keep);
            keep
        });
    }

    /// Where the database is, for people: a file, a socket, or host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Whether every connection is in use.
    fn are_all_busy(&self) -> bool {
        let status = self.pool.status();
        status.available == 0 && status.size == status.max_size
    }

    /// Closes every connection, and waits for those that are idle; statements under way end first.
    pub(super) async fn close(&self) {
        let idle = self.pool.retain(|_, _| false).removed;
        self.pool.close();
        for session in idle {
            if let Err(error) = session.close().await {
                tracing::debug!(%error, "a connection was not closed properly");
            }
        }
    }

    pub(super) fn observe_statement(&self, sql: &str) {
        if let Some(observer) = &self.observer {
            observer(sql);
        }
    }

    /// A connection, tested if it was idle.
    pub(super) async fn lease(&self) -> Result<Lease, DbErr> {
        let began = Instant::now();
        let deadline = began + ACQUIRE_TIMEOUT;
        let mut places = [None, None];
        for (place, gate) in places.iter_mut().zip(&self.gates) {
            if let Some(gate) = gate {
                *place = Some(gate.enter(deadline).await?);
            }
        }
        let mut last_failure = None;
        let cannot_connect = |error| faults::about_connecting(&self.address, error);
        loop {
            match timeout_at(deadline, self.pool.get()).await {
                Ok(Ok(object)) => return Ok(Lease { object: Some(object), _places: places }),
                // Another that was idle may have come back meanwhile: below its pool size a service only slows down.
                Ok(Err(PoolError::Backend(error))) if faults::is_transient_connecting(&error) => {
                    if began.elapsed() + CONNECT_PAUSE > self.retry_for {
                        return Err(cannot_connect(error));
                    }
                    last_failure = Some(error);
                    sleep(CONNECT_PAUSE).await;
                }
                Ok(Err(PoolError::Backend(error))) => return Err(cannot_connect(error)),
                Ok(Err(other)) => return Err(DbErr::Custom(other.to_string())),
                Err(_) if self.gates[0].is_some() && self.are_all_busy() => return Err(gate::overload()),
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

/// A connection in use. Dropped, as with a future that is cancelled, it closes the connection.
#[derive(Debug)]
pub(super) struct Lease {
    object: Option<Object<Connector>>,
    /// Given back with it.
    _places: [Option<OwnedSemaphorePermit>; 2],
}

impl Lease {
    pub(super) fn session(&mut self) -> Result<&mut Session, DbErr> {
        self.object.as_deref_mut().ok_or_else(|| DbErr::Custom("the connection is closed".to_owned()))
    }

    /// Gives the connection back, or closes it after an error that is not about the statement.
    pub(super) fn end<T>(mut self, result: Result<T, Error>) -> Result<T, DbErr> {
        match result {
            Err(error) if !faults::leaves_connection_usable(&error) => Err(self.close_after(error)),
            result => {
                drop(self.object.take());
                result.map_err(faults::about_statement)
            }
        }
    }

    /// Closes the connection, whatever the error was.
    pub(super) fn close_after(self, error: Error) -> DbErr {
        if let (Some(object), true) = (&self.object, faults::is_silence(&error))
            && let Some(pool) = Object::pool(object)
        {
            // Of those that were open then, the first speaks for all.
            if !pool.manager().is_distrusted(Object::metrics(object)) {
                tracing::warn!(%error, "a connection is silent; it and the idle ones are closed");
            }
            pool.manager().distrust_present();
            if let Some(backend) = object.backend() {
                tokio::spawn(terminate(pool, backend));
            }
        }
        faults::about_statement(error)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}
