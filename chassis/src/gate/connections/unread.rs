//! Unread response bytes: of one connection, and of the whole process.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// Unread response bytes of the process.
#[derive(Debug)]
pub(super) struct Unread {
    bytes: AtomicUsize,
    limit: usize,
    /// Notified when the limit is exceeded.
    pub(super) exceeded: Notify,
}

/// Chunks of responses that wait for one client, by number.
#[derive(Debug)]
pub(super) struct Waiting {
    chunks: BTreeMap<u64, WaitingChunk>,
    last: u64,
    all: Arc<Unread>,
}

#[derive(Debug)]
struct WaitingChunk {
    bytes: usize,
    /// Time when the client last took bytes of it.
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

    /// Multiple of the limit that is in use, at least 1.
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
        Self { chunks: BTreeMap::new(), last: 0, all }
    }

    /// Adds a chunk and returns its number.
    pub(super) fn add(&mut self, bytes: usize) -> u64 {
        self.last += 1;
        self.chunks.insert(self.last, WaitingChunk { bytes, moved_at: Instant::now() });
        self.all.add(bytes);
        self.last
    }

    /// Records that the client took bytes of a chunk.
    pub(super) fn take(&mut self, number: u64, bytes: usize) {
        if let Some(chunk) = self.chunks.get_mut(&number) {
            chunk.bytes -= bytes;
            chunk.moved_at = Instant::now();
            self.all.subtract(bytes);
        }
    }

    /// Removes a chunk that is empty or abandoned.
    pub(super) fn remove(&mut self, number: u64) {
        if let Some(chunk) = self.chunks.remove(&number) {
            self.all.subtract(chunk.bytes);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.chunks.values().map(|chunk| chunk.bytes).sum()
    }

    /// Longest time for which the client took nothing of a chunk.
    pub(super) fn stalled_for(&self, now: Instant) -> Option<Duration> {
        self.chunks.values().map(|chunk| now.saturating_duration_since(chunk.moved_at)).max()
    }
}
