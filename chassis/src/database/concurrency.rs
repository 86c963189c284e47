//! Concurrency limit for statements of one kind. Further ones queue, bounded in number and time. A client that is
//! refused early has time left to try again.

use std::sync::Arc;

use sea_orm::{DbErr, error::ConnAcquireErr};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

/// Statements that may queue, each with its request in memory.
const MAX_QUEUED: usize = 512;

/// Admits statements, first come first served.
#[derive(Debug)]
pub(super) struct ConcurrencyLimit {
    places: Arc<Semaphore>,
    queue: Semaphore,
}

impl ConcurrencyLimit {
    /// Admits at most `places` at once.
    pub(super) fn new(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places)), queue: Semaphore::new(MAX_QUEUED) }
    }

    /// Whether a statement would wait.
    pub(super) fn is_full(&self) -> bool {
        self.places.available_permits() == 0
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

/// The error of a client's read without a place or a connection.
pub(super) fn overload() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)
}

/// Whether a statement was refused because too many others wait. It was not sent, and may be tried again.
pub(crate) fn is_overload(error: &DbErr) -> bool {
    matches!(error, DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_statement_without_a_place_in_time_or_in_the_queue_is_refused() {
        let limit = Arc::new(ConcurrencyLimit::new(1));
        let soon = Instant::now() + Duration::from_secs(1);
        let place = limit.enter(soon).await.expect("a place");
        let waiting = tokio::spawn({
            let limit = Arc::clone(&limit);
            async move { limit.enter(soon + Duration::from_mins(1)).await }
        });
        tokio::task::yield_now().await;
        assert!(limit.enter(soon).await.is_err_and(|error| is_overload(&error)));
        drop(place);
        assert!(waiting.await.expect("no panic").is_ok());

        let place = limit.enter(soon).await.expect("a place");
        let one_more = (0..=MAX_QUEUED).map(|_| limit.enter(soon + Duration::from_mins(1)));
        let refused = futures_util::future::select_all(one_more.map(Box::pin)).await.0;
        assert!(refused.is_err_and(|error| is_overload(&error)), "at once");
        drop(place);
    }
}
