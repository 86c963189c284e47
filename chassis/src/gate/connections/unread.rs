//! Answers that clients have not read: those of one connection, and the bytes of all together.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// Bytes of unread answers in the process.
#[derive(Debug)]
pub(super) struct Unread {
    bytes: AtomicUsize,
    limit: usize,
    /// Notified when the limit is exceeded.
    pub(super) exceeded: Notify,
}

/// Parts of answers that wait for one client, by their number.
#[derive(Debug)]
pub(super) struct Waiting {
    parts: BTreeMap<u64, Part>,
    last: u64,
    all: Arc<Unread>,
}

#[derive(Debug)]
struct Part {
    bytes: usize,
    /// When the client took some of it.
    moved_at: Instant,
}

impl Unread {
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: AtomicUsize::new(0), limit, exceeded: Notify::new() }
    }

    /// Bytes above the limit.
    pub(super) fn excess(&self) -> usize {
        self.bytes.load(Ordering::Relaxed).saturating_sub(self.limit)
    }

    /// How many times the limit there is.
    pub(super) fn load(&self) -> u32 {
        let times = self.bytes.load(Ordering::Relaxed) / self.limit.max(1);
        u32::try_from(times).unwrap_or(u32::MAX).max(1)
    }

    fn add(&self, bytes: usize) {
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > self.limit {
            self.exceeded.notify_one();
        }
    }

    fn subtract(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Waiting {
    pub(super) fn new(all: Arc<Unread>) -> Self {
        Self { parts: BTreeMap::new(), last: 0, all }
    }

    /// Adds a part and gives its number.
    pub(super) fn add(&mut self, bytes: usize) -> u64 {
        self.last += 1;
        self.parts.insert(self.last, Part { bytes, moved_at: Instant::now() });
        self.all.add(bytes);
        self.last
    }

    /// The client took some bytes of a part.
    pub(super) fn take(&mut self, number: u64, bytes: usize) {
        if let Some(part) = self.parts.get_mut(&number) {
            part.bytes -= bytes;
            part.moved_at = Instant::now();
            self.all.subtract(bytes);
        }
    }

    /// Forgets a part, of which nothing is left, or which nobody will take.
    pub(super) fn remove(&mut self, number: u64) {
        if let Some(part) = self.parts.remove(&number) {
            self.all.subtract(part.bytes);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.parts.values().map(|part| part.bytes).sum()
    }

    /// For how long the client took nothing of some part.
    pub(super) fn stalled_for(&self, now: Instant) -> Option<Duration> {
        self.parts.values().map(|part| now.saturating_duration_since(part.moved_at)).max()
    }
}
