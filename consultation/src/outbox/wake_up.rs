//! Hints that something is due: within the process after each commit, and soon across replicas.
//!
//! Losing every hint costs latency only; the poll is the truth.

use std::sync::Arc;

use chassis::replicas::Channel;
use tokio::sync::Notify;

/// The channel to the other replicas.
const CHANNEL: &str = "pending_payment_due";

/// The bell that wakes up relays.
#[derive(Clone, Debug)]
pub struct WakeUp {
    here: Arc<Notify>,
    /// To and from the other replicas.
    pub channel: Channel,
}

impl Default for WakeUp {
    fn default() -> Self {
        let here = Arc::new(Notify::new());
        let bell = Arc::clone(&here);
        // Whatever was heard or missed: something may be due.
        Self { here, channel: Channel::new(CHANNEL, move |_| bell.notify_one()) }
    }
}

impl WakeUp {
    /// Something is due: wakes up the relay of this process, and soon those of the others.
    pub fn ring(&self) {
        self.here.notify_one();
        self.channel.send(&[]);
    }

    /// Waits until it was rung since the last time.
    pub async fn rung(&self) {
        self.here.notified().await;
    }
}
