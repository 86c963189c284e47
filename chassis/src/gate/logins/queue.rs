//! The queue before the slow hashes: short in time and length, since who waits too long has gone.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Hashes computed at once, so that wrong passwords cannot take every core, nor with argon2 the memory.
const MAX_VERIFYING: usize = 1;
/// Logins that wait. Each holds a request; those that failed too often are sent away without a hash once it is their turn.
const MAX_WAITING: usize = 256;
/// How long a login waits. About 20 hashes of bcrypt with cost 12.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Queue {
    waiting: Semaphore,
    verifying: Arc<Semaphore>,
}

impl Default for Queue {
    fn default() -> Self {
        Self { waiting: Semaphore::new(MAX_WAITING), verifying: Arc::new(Semaphore::new(MAX_VERIFYING)) }
    }
}

impl Queue {
    /// Waits for the right to compute a hash, or gives nothing if that takes too long. To be held until it is computed.
    pub(super) async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        let _waiting = self.waiting.try_acquire().ok()?;
        let verifying = Arc::clone(&self.verifying).acquire_owned();
        timeout(MAX_WAIT, verifying).await.ok()?.ok()
    }
}
