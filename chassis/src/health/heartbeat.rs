//! The sign of life of a background loop, without which a process looks healthy while the loop hangs.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// A loop that has not completed a round for this long hangs. The longest that does not is a relay's whose
/// database goes down during its call: it writes outcomes until a lease of 30 s ends, and 15 s for the last. A loop whose
/// pauses are as long beats while it waits.
const LONGEST_ROUND: Duration = Duration::from_mins(1);

/// When a loop last did something, unless it has nothing to do.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    name: &'static str,
    last: Arc<Mutex<Option<Instant>>>,
}

impl Heartbeat {
    /// Of the loop with this name, which begins now.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, last: Arc::new(Mutex::new(Some(Instant::now()))) }
    }

    /// A round begins or is completed, whether it did what it should or failed: the next is due soon.
    pub fn beat(&self) {
        self.set(Some(Instant::now()));
    }

    /// The loop waits for work, which may not come for long.
    pub fn rest(&self) {
        self.set(None);
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match last.map(|last| last.elapsed()) {
            Some(age) if age > LONGEST_ROUND => Err(format!("{}: no round for {} s", self.name, age.as_secs())),
            _ => Ok(()),
        }
    }

    fn set(&self, last: Option<Instant>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }
}
