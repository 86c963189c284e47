//! Hints that something is due: within the process after each commit, and soon across replicas.
//!
//! Losing every hint costs latency only; the poll is the truth.

use std::sync::Arc;

use chassis::replicas::{self, Channel, Publisher};
use tokio::sync::Notify;

/// The channel to the other replicas.
const CHANNEL: &str = "pending_payment_due";

/// The bell that wakes up relays.
#[derive(Clone, Debug)]
pub struct WakeUp {
    here: Arc<Notify>,
    replicas: Publisher,
}

impl Default for WakeUp {
    /// Within this process alone.
    fn default() -> Self {
        Self::new().0
    }
}

impl WakeUp {
    /// A bell that is heard by the other replicas, once its channel is connected.
    #[must_use]
    pub fn new() -> (Self, Channel) {
        let here = Arc::new(Notify::new());
        let bell = Arc::clone(&here);
        // Whatever was heard or missed: something may be due.
        let (replicas, channel) = replicas::channel(CHANNEL, move |_| bell.notify_one());
        (Self { here, replicas }, channel)
    }

    /// Something is due: wakes up the relay of this process, and soon those of the others.
    pub fn notify(&self) {
        self.here.notify_one();
        self.replicas.send(&[]);
    }

    /// Waits until it was rung since the last time.
    pub async fn notified(&self) {
        self.here.notified().await;
    }
}
