//! Token buckets by key, in bounded memory.
//!
//! Our own rather than the crate governor: a login checks without taking, since only failures take, and invented keys
//! must not fill the memory. A bucket is stored as the time at which it will be full again.

use std::{hash::Hash, num::NonZeroUsize, time::Duration};

use lru::LruCache;
use tokio::time::Instant;

/// Stored keys. Beyond it the least recent failure is forgotten. 10,000 take about 1 MiB.
const MAX_KEYS: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

/// Size of a bucket, and the interval between its tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) burst: u32,
    pub(super) every: Duration,
}

#[derive(Debug)]
pub(super) struct Buckets<K: Hash + Eq> {
    rate: Rate,
    full_at: LruCache<K, Instant>,
}

impl<K: Hash + Eq> Buckets<K> {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, full_at: LruCache::new(MAX_KEYS) }
    }

    /// Time until the bucket of `key` has a token.
    pub(super) fn wait(&self, key: &K, now: Instant) -> Duration {
        let until_full = self.full_at.peek(key).map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        until_full.saturating_sub(self.rate.every * (self.rate.burst - 1))
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&mut self, key: K, now: Instant) {
        let Rate { burst, every } = self.rate;
        let full_at = self.full_at.get(&key).copied().unwrap_or(now).max(now);
        self.full_at.put(key, (full_at + every).min(now + every * burst));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 3, every: Duration::from_secs(10) };

    #[test]
    fn a_bucket_is_emptied_by_its_burst_and_fills_a_token_at_a_time() {
        let (mut buckets, now) = (Buckets::new(RATE), Instant::now());
        for _ in 0..RATE.burst {
            assert_eq!(buckets.wait(&"a", now), Duration::ZERO);
            buckets.take("a", now);
        }
        assert_eq!(buckets.wait(&"a", now), RATE.every);
        assert_eq!(buckets.wait(&"b", now), Duration::ZERO);
        assert_eq!(buckets.wait(&"a", now + RATE.every / 2), RATE.every / 2);
        let later = now + RATE.every;
        assert_eq!(buckets.wait(&"a", later), Duration::ZERO);
        buckets.take("a", later);
        assert_eq!(buckets.wait(&"a", later), RATE.every);
    }

    #[test]
    fn more_than_all_is_never_taken() {
        let (mut buckets, now) = (Buckets::new(RATE), Instant::now());
        for _ in 0..10 * RATE.burst {
            buckets.take("a", now);
        }
        assert_eq!(buckets.wait(&"a", now), RATE.every);
    }

    #[test]
    fn invented_keys_do_not_fill_the_memory() {
        let (mut buckets, now) = (Buckets::new(RATE), Instant::now());
        for key in 0..2 * MAX_KEYS.get() {
            buckets.take(key, now);
        }
        assert_eq!(buckets.full_at.len(), MAX_KEYS.get());
    }
}
