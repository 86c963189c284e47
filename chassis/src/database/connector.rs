//! Opens connections, tests idle ones, and terminates the sessions of silent ones.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use deadpool::managed::{Manager, Metrics, Object, Pool, RecycleError, RecycleResult};
use sea_orm::sqlx::Error;
use tokio::time::timeout;

use super::{
    Session, faults,
    options::{Backend, Options, Target},
};

/// Idle time after which a connection is tested before use: testing each would cost a round trip. A restart of the
/// server takes longer, so no client's request meets a connection from before it.
const TEST_WHEN_IDLE_FOR: Duration = Duration::from_millis(500);
/// Longest wait for the connection that terminates a session.
const TERMINATE_TIMEOUT: Duration = Duration::from_secs(3);

/// Opens and tests connections.
#[derive(Debug)]
pub(super) struct Connector {
    options: Options,
    target: Target,
    /// Connections opened before this moment are not reused.
    distrusted: Mutex<Option<std::time::Instant>>,
}

impl Connector {
    pub(super) fn new(options: Options, target: Target) -> Self {
        Self { options, target, distrusted: Mutex::default() }
    }

    /// Called when a connection is silent. Each other idle one would cost a timeout of its own.
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
        Session::connect(&self.options, self.target).await
    }

    async fn recycle(&self, session: &mut Session, metrics: &Metrics) -> RecycleResult<Error> {
        if self.is_distrusted(metrics) {
            return Err(RecycleError::message("probably as silent as another one"));
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

/// Terminates the server's end of a silent session. It may hold locks, or wait for an absent standby: each retry would
/// add one more, until the server has no room for others.
pub(super) async fn terminate(pool: Pool<Connector>, backend: Backend) {
    let terminated = timeout(TERMINATE_TIMEOUT, pool.get()).await;
    let Ok(Ok(mut session)) = terminated else { return };
    if let Err(error) = session.terminate(&backend).await {
        tracing::debug!(%error, "a silent session was not terminated on the server");
        drop(Object::take(session));
    }
}
