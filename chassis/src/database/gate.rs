//! How many statements of a kind run at once. The rest wait their turn, but neither too many nor for long: a client
//! that is refused soon can try again, one that waits for nothing cannot.

use std::sync::Arc;

use sea_orm::{DbErr, error::ConnAcquireErr};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

/// Statements that may wait at a gate, each with a request that is held in memory.
const MAX_WAITING: usize = 512;

/// Lets statements through, first come first served.
#[derive(Debug)]
pub(super) struct Gate {
    places: Arc<Semaphore>,
    queue: Semaphore,
}

impl Gate {
    /// For at most `places` at once.
    pub(super) fn new(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places)), queue: Semaphore::new(MAX_WAITING) }
    }

    /// Waits for a place until the deadline.
    pub(super) async fn enter(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, DbErr> {
        let _queued = self.queue.try_acquire().map_err(|_| overload())?;
        match timeout_at(deadline, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(overload()),
        }
    }
}

/// What is told to a client's read that found no place, or no connection.
pub(super) fn overload() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)
}

/// Whether a statement was refused because too many others wait: it was not sent, and may be tried again.
pub(crate) fn is_overload(error: &DbErr) -> bool {
    matches!(error, DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_place_in_time_or_too_many_waiting_is_refused() {
        let gate = Arc::new(Gate::new(1));
        let soon = Instant::now() + Duration::from_secs(1);
        let place = gate.enter(soon).await.expect("a place");
        let waiting = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.enter(soon + Duration::from_mins(1)).await }
        });
        tokio::task::yield_now().await;
        assert!(gate.enter(soon).await.is_err_and(|error| is_overload(&error)));
        drop(place);
        assert!(waiting.await.expect("no panic").is_ok());

        let place = gate.enter(soon).await.expect("a place");
        let one_more = (0..=MAX_WAITING).map(|_| gate.enter(soon + Duration::from_mins(1)));
        let refused = futures_util::future::select_all(one_more.map(Box::pin)).await.0;
        assert!(refused.is_err_and(|error| is_overload(&error)), "at once");
        drop(place);
    }
}
