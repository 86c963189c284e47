//! A memory that is bounded in bytes and in number: what was used least recently is forgotten first.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

/// What an entry costs beside its text: its places in the list and in the table.
pub(super) const OVERHEAD: usize = 256;

#[derive(Debug)]
pub(super) struct Memory<V> {
    max_bytes: usize,
    max_count: usize,
    entries: Mutex<Entries<V>>,
}

#[derive(Debug)]
struct Entries<V> {
    by_key: LruCache<String, (usize, V)>,
    bytes: usize,
}

impl<V: Clone> Memory<V> {
    pub(super) fn new(max_bytes: usize, max_count: usize) -> Self {
        // With a capacity the table would take its memory at once.
        Self { max_bytes, max_count, entries: Mutex::new(Entries { by_key: LruCache::unbounded(), bytes: 0 }) }
    }

    /// Remembers a value that takes `bytes` beside [`OVERHEAD`].
    pub(super) fn remember(&self, key: String, value: V, bytes: usize) {
        let cost = bytes + OVERHEAD;
        let mut entries = self.entries();
        entries.bytes += cost;
        if let Some((_, (same, _))) = entries.by_key.push(key, (cost, value)) {
            entries.bytes -= same;
        }
        while entries.bytes > self.max_bytes || entries.by_key.len() > self.max_count {
            let Some((_, (oldest, _))) = entries.by_key.pop_lru() else { break };
            entries.bytes -= oldest;
        }
    }

    pub(super) fn recall(&self, key: &str) -> Option<V> {
        self.entries().by_key.get(key).map(|(_, value)| value.clone())
    }

    /// What it holds: bytes, and entries.
    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        let entries = self.entries();
        let real: usize = entries.by_key.iter().map(|(_, (cost, _))| cost).sum();
        assert_eq!(entries.bytes, real, "the count of bytes is right");
        (real, entries.by_key.len())
    }

    /// Nothing in here panics half-way.
    fn entries(&self) -> MutexGuard<'_, Entries<V>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
