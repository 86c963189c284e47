//! A read replica: a standby that queries may read, as long as it is late by little.
//!
//! Each 250 ms a task asks the primary and the replica for their positions in the log. By the answers each
//! query is led to one of them, as a whole. The primary serves all queries while the replica is late, away or silent,
//! or is of another history.

mod meter;
mod position;
mod reads;
mod staleness;
mod tokens;
mod watch;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sea_orm::DbErr;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Connections, Database, MAX_COUNTS, options::Options};
use position::Position;
use tokens::Tokens;

pub use reads::{ReplicaReads, queries_on_replica};

/// Connections to the primary for positions: one of the watch, one for tokens.
const POSITION_CONNECTIONS: usize = 2;

/// Default of the longest staleness: about ten times what a healthy replica has.
pub const DEFAULT_MAX_STALENESS: &str = "5s";

/// Settings of a read replica.
#[derive(Clone, Debug)]
pub struct ReadReplica {
    /// `postgres:` URL of one server.
    pub url: SecretString,
    /// Staleness beyond which queries read from the primary.
    pub max_staleness: Duration,
}

/// A replica and what is known of it.
pub(super) struct Replica {
    read: Connections,
    count: Connections,
    /// For its position. No query can take it.
    check: Connections,
    primary: Connections,
    tokens: Tokens,
    max_staleness: Duration,
    state: Mutex<State>,
}

/// What the last round has found.
struct State {
    seen: Option<Seen>,
    /// Cancelled once the replica is lost, for the queries that run on it.
    lost: CancellationToken,
}

/// A replica that follows the primary.
#[derive(Clone, Copy, Debug)]
struct Seen {
    position: Position,
    /// Its data are complete as of this moment.
    as_of: Instant,
}

impl Replica {
    fn open(primary: &Options, settings: &ReadReplica, connections: usize) -> Result<Self, DbErr> {
        let Options::Postgres(replica) = Options::of(settings.url.expose_secret())? else {
            return Err(DbErr::Custom("SQLite has no replicas".to_owned()));
        };
        // Also where the URL leads to a primary, as it may after a failover.
        let replica = Options::Postgres(replica.with_settings([("default_transaction_read_only", "on")]));
        let read = Connections::to_any(replica.clone(), connections)?.without_retry().at_most(connections);
        let positions = Connections::new(primary.clone(), POSITION_CONNECTIONS)?.without_retry();
        Ok(Self {
            count: read.at_most(MAX_COUNTS),
            read,
            check: Connections::to_any(replica, 1)?.without_retry(),
            primary: positions.clone(),
            tokens: Tokens::of(positions),
            max_staleness: settings.max_staleness,
            state: Mutex::new(State { seen: None, lost: CancellationToken::new() }),
        })
    }

    /// What is known, and the token that is cancelled when the replica is lost.
    fn state(&self) -> (Option<Seen>, CancellationToken) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.seen, state.lost.clone())
    }

    fn found(&self, seen: Option<Seen>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seen = seen;
        if seen.is_none() {
            std::mem::take(&mut state.lost).cancel();
        }
    }

    /// How late the replica is at most; `None` if that is not known.
    fn staleness(&self) -> Option<Duration> {
        self.state().0.map(|seen| seen.as_of.elapsed())
    }

    pub(super) fn pool(&self) -> &Connections {
        &self.read
    }

    pub(super) fn close_idle(&self, idle: Duration) {
        self.read.close_idle(idle);
    }

    pub(super) async fn close(&self) {
        tokio::join!(self.read.close(), self.check.close(), self.primary.close());
    }
}

impl Database {
    /// Lets queries read from a replica, with at most `connections` to it at once.
    pub fn with_replica(self, settings: &ReadReplica, connections: usize) -> Result<Self, DbErr> {
        let replica = Replica::open(&self.options, settings, connections)?;
        Ok(Self { replica: Some(Arc::new(replica)), ..self })
    }

    /// How late the rows may be that this database shows: zero on the primary.
    #[must_use]
    pub fn max_staleness(&self) -> Duration {
        self.max_staleness
    }

    /// The same database with the readers of its replica.
    fn on(&self, replica: &Replica) -> Self {
        let Replica { read, count, max_staleness, .. } = replica;
        let (read, count, max_staleness) = (read.clone(), count.clone(), *max_staleness);
        Self { read, count, max_staleness, replica: None, ..self.clone() }
    }
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica").field("address", &self.read.address()).finish_non_exhaustive()
    }
}
