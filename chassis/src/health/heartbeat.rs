//! Heartbeat of a background loop. Without heartbeats a process looks healthy while a loop hangs.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// A loop without a beat for this long hangs. Every loop keeps its rounds shorter, timeouts and retries included; the
/// longest takes 45 s during an outage. A loop with longer pauses beats while it waits.
const ROUND_TIMEOUT: Duration = Duration::from_mins(1);

/// Time of a loop's last beat, unless it waits for work.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    name: &'static str,
    last: Arc<Mutex<Option<Instant>>>,
}

impl Heartbeat {
    /// The heartbeat of the loop `name`, which starts now.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, last: Arc::new(Mutex::new(Some(Instant::now()))) }
    }

    /// Marks the start or end of a round, whether it succeeded or failed: the next is due soon.
    pub fn beat(&self) {
        self.set(Some(Instant::now()));
    }

    /// Marks the loop as waiting for work, which may take any time.
    pub fn rest(&self) {
        self.set(None);
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match last.map(|last| last.elapsed()) {
            Some(age) if age > ROUND_TIMEOUT => Err(format!("{}: no round for {} s", self.name, age.as_secs())),
            _ => Ok(()),
        }
    }

    fn set(&self, last: Option<Instant>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }
}
