//! Notifications that rows are due: to the relay of this process after each commit, and soon to the other replicas.
//!
//! A lost notification costs latency only: the poll finds all due rows.

use std::sync::Arc;

use chassis::replicas::{self, Channel, Publisher};
use tokio::sync::Notify;

/// The channel to the other replicas.
const CHANNEL: &str = "pending_payment_due";

/// Wakes up relays.
#[derive(Clone, Debug)]
pub struct WakeUp {
    here: Arc<Notify>,
    replicas: Publisher,
}

impl Default for WakeUp {
    /// For this process alone.
    fn default() -> Self {
        Self::new().0
    }
}

impl WakeUp {
    /// Also wakes up the other replicas, once its channel is connected.
    #[must_use]
    pub fn new() -> (Self, Channel) {
        let here = Arc::new(Notify::new());
        let relay = Arc::clone(&here);
        // A received notification and a missed one mean the same: rows may be due.
        let (replicas, channel) = replicas::channel(CHANNEL, move |_| relay.notify_one());
        (Self { here, replicas }, channel)
    }

    /// Rows are due: wakes up the relay of this process, and soon the relays of the others.
    pub fn notify(&self) {
        self.here.notify_one();
        self.replicas.send(&[]);
    }

    /// Waits for the first notification since the last call.
    pub async fn notified(&self) {
        self.here.notified().await;
    }
}
