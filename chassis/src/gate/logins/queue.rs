//! Queue for slow hashes, short in time and length: a client that waits too long has gone.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Hashes computed at once. Wrong passwords cannot take every core, nor argon2 the memory.
const MAX_VERIFYING: usize = 1;
/// Queued logins. Each holds a request; those with too many failures are refused without a hash once it is their turn.
const MAX_QUEUED: usize = 256;
/// Longest wait of a login. About 20 bcrypt hashes of cost 12.
pub(super) const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Queue {
    waiting: Semaphore,
    verifying: Arc<Semaphore>,
}

impl Default for Queue {
    fn default() -> Self {
        Self { waiting: Semaphore::new(MAX_QUEUED), verifying: Arc::new(Semaphore::new(MAX_VERIFYING)) }
    }
}

impl Queue {
    /// Waits for the permit to compute a hash, held until it is computed. `None` after the timeout or with a full
    /// queue.
    pub(super) async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        let _waiting = self.waiting.try_acquire().ok()?;
        let verifying = Arc::clone(&self.verifying).acquire_owned();
        timeout(QUEUE_TIMEOUT, verifying).await.ok()?.ok()
    }
}
