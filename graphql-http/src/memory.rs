//! A least-recently-used cache that is bounded in bytes and in entries.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

/// Bytes of an entry beside its value: its places in the list and in the table.
pub(crate) const OVERHEAD: usize = 256;

#[derive(Debug)]
pub(crate) struct Memory<V> {
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
    pub(crate) fn new(max_bytes: usize, max_count: usize) -> Self {
        // A table with a capacity would take its memory at once.
        Self { max_bytes, max_count, entries: Mutex::new(Entries { by_key: LruCache::unbounded(), bytes: 0 }) }
    }

    /// Remembers a value of `bytes`, beside [`OVERHEAD`].
    pub(crate) fn remember(&self, key: String, value: V, bytes: usize) {
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

    pub(crate) fn recall(&self, key: &str) -> Option<V> {
        self.entries().by_key.get(key).map(|(_, value)| value.clone())
    }

    /// The bytes and the entries.
    #[cfg(test)]
    pub(crate) fn size(&self) -> (usize, usize) {
        let entries = self.entries();
        let real: usize = entries.by_key.iter().map(|(_, (cost, _))| cost).sum();
        assert_eq!(entries.bytes, real, "the count of bytes is right");
        (real, entries.by_key.len())
    }

    fn entries(&self) -> MutexGuard<'_, Entries<V>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
