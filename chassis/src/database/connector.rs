//! Makes connections, tests those that were idle, and ends the sessions of those that are silent.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use deadpool::managed::{Manager, Metrics, Object, Pool, RecycleError, RecycleResult};
use sea_orm::sqlx::Error;
use tokio::time::timeout;

use super::{Session, faults, options::Options, session::Backend};

/// Only connections that were idle this long are tested before use: testing each costs a round trip. No longer
/// than a restart of the server takes, so that none from before it is used for a client's request after it.
const TEST_WHEN_IDLE_FOR: Duration = Duration::from_millis(500);
/// The longest wait for the connection on which to end a session.
const TERMINATE_TIMEOUT: Duration = Duration::from_secs(3);

/// Makes connections, and tests them.
#[derive(Debug)]
pub(super) struct Connector {
    options: Options,
    /// Connections from before this moment are not used again.
    distrusted: Mutex<Option<std::time::Instant>>,
}

impl Connector {
    pub(super) fn new(options: Options) -> Self {
        Self { options, distrusted: Mutex::default() }
    }

    /// When the network has gone silent, each idle connection would take as long to find out as the first.
    pub(super) fn distrust_present(&self) {
        *self.distrusted.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::time::Instant::now());
    }

    pub(super) fn is_distrusted(&self, metrics: &Metrics) -> bool {
        Some(metrics.created) < *self.distrusted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Manager for Connector {
    type Type = Session;
    type Error = Error;

    async fn create(&self) -> Result<Session, Error> {
        Session::connect(&self.options).await
    }

    async fn recycle(&self, session: &mut Session, metrics: &Metrics) -> RecycleResult<Error> {
        if self.is_distrusted(metrics) {
            return Err(RecycleError::message("as silent as another, probably"));
        }
        if metrics.last_used() < TEST_WHEN_IDLE_FOR {
            return Ok(());
        }
        let tested = session.ping().await;
        if tested.as_ref().is_err_and(faults::is_silence) {
            self.distrust_present();
        }
        Ok(tested?)
    }
}

/// Ends the server's end of a session that is silent. It may hold locks, or wait for a standby, for as long as that is
/// away: one more with each try, until the server has no room for others.
pub(super) async fn terminate(pool: Pool<Connector>, backend: Backend) {
    let terminated = timeout(TERMINATE_TIMEOUT, pool.get()).await;
    let Ok(Ok(mut session)) = terminated else { return };
    if let Err(error) = session.terminate(&backend).await {
        tracing::debug!(%error, "a silent session was not ended on the server");
        drop(Object::take(session));
    }
}
