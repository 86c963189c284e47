//! Leads each query to the replica or to the primary.

use std::{fmt, sync::Arc, time::Duration};

use async_graphql::{Data, ServerError};
use futures_util::{FutureExt, future::BoxFuture};
use graphql_http::consistency::{self, Consistency, MalformedToken, Needs};
use tokio_util::sync::CancellationToken;

use super::{
    Position, Replica, Seen,
    meter::{Led, Meter},
    watch::Watch,
};
use crate::{
    database::{Database, is_overload},
    graphql::cause,
    health::Heartbeat,
    metrics::Metrics,
};

/// Queries that may read from a replica.
pub struct ReplicaReads {
    replica: Arc<Replica>,
    provide: Arc<dyn Fn(&mut Data) + Send + Sync>,
    meter: Meter,
    /// Beats with each look at the replica.
    pub(crate) heartbeat: Heartbeat,
}

/// The queries on the replica of `database`; `None` without one. `provide` gets the database that they read, and returns
/// what puts it into the data of a query.
#[must_use]
pub fn queries_on_replica<F>(
    database: &Database,
    metrics: &Metrics,
    provide: impl FnOnce(Database) -> F,
) -> Option<ReplicaReads>
where
    F: Fn(&mut Data) + Send + Sync + 'static,
{
    let replica = Arc::clone(database.replica.as_ref()?);
    let meter = Meter::registered(metrics, &replica);
    let provide = Arc::new(provide(database.on(&replica)));
    Some(ReplicaReads { replica, provide, meter, heartbeat: Heartbeat::new("read replica") })
}

impl ReplicaReads {
    /// The same, and a task that looks at the replica until shutdown.
    pub(crate) fn watched(self, shutdown: CancellationToken) -> Arc<Self> {
        let (replica, heartbeat) = (Arc::clone(&self.replica), self.heartbeat.clone());
        tokio::spawn(async move { Watch::over(&replica).run(&heartbeat, &shutdown).await });
        Arc::new(self)
    }
}

impl Consistency for ReplicaReads {
    fn replica(&self, needs: &Needs) -> Result<Option<consistency::Replica>, MalformedToken> {
        let parsed = needs.token.as_deref().map(|token| Position::of_token(token).ok_or(MALFORMED)).transpose()?;
        let (seen, lost) = self.replica.state();
        let decided = decide(seen, parsed, needs.max_staleness, self.replica.max_staleness);
        match decided {
            // Two servers have more connections than one.
            Ok(_) if self.replica.read.is_full() => {
                self.meter.count(Led::Busy);
                Ok(None)
            }
            Ok(staleness) => {
                self.meter.count(Led::Replica);
                Ok(Some(consistency::Replica { staleness, provide: Arc::clone(&self.provide), lost }))
            }
            Err(led) => {
                self.meter.count(led);
                Ok(None)
            }
        }
    }

    fn token(&self) -> BoxFuture<'_, Option<String>> {
        self.replica.tokens.token().boxed()
    }

    /// Also an error about the statement: a standby cancels statements that are in the way of its replay, and lacks the
    /// columns of a migration for a moment. Not overload: all its queries at once would be too many for the primary.
    fn is_about_replica(&self, error: &ServerError) -> bool {
        cause(error).is_some_and(|cause| !is_overload(cause))
    }

    fn repeated(&self) {
        self.meter.count(Led::Failed);
    }
}

const MALFORMED: MalformedToken = MalformedToken("send it as the response to a mutation has it, or leave it out");

/// The staleness of a query on the replica, or why it is led to the primary.
fn decide(
    seen: Option<Seen>,
    token: Option<Position>,
    wanted: Option<Duration>,
    bound: Duration,
) -> Result<Duration, Led> {
    let wanted = wanted.unwrap_or(Duration::MAX);
    // Zero wants the primary, however fresh the replica is.
    if wanted.is_zero() {
        return Err(Led::Wanted);
    }
    let Seen { position, as_of } = seen.ok_or(Led::Away)?;
    if token.is_some_and(|token| !position.includes(&token)) {
        return Err(Led::Token);
    }
    match as_of.elapsed() {
        staleness if staleness > bound => Err(Led::Late),
        staleness if staleness > wanted => Err(Led::Wanted),
        staleness => Ok(staleness),
    }
}

impl fmt::Debug for ReplicaReads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplicaReads").field("replica", &self.replica).finish_non_exhaustive()
    }
}
