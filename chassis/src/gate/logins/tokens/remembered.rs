//! Callers of verified tokens. A remembered token costs a hash instead of a signature.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
};

use graphql_http::Caller;
use lru::LruCache;
use tokio::time::Instant;

use crate::gate::logins::fingerprint::{Fingerprint, FingerprintKey};

/// Remembered tokens, each with its caller. Those beyond it are only verified again.
const MAX_REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).expect("not zero");

#[derive(Debug)]
pub(super) struct Remembered {
    key: FingerprintKey,
    callers: Mutex<LruCache<Fingerprint, Caller>>,
}

impl Default for Remembered {
    fn default() -> Self {
        Self { key: FingerprintKey::default(), callers: Mutex::new(LruCache::new(MAX_REMEMBERED)) }
    }
}

impl Remembered {
    /// The caller of a token that was verified, has not expired, and whose key was not withdrawn.
    pub(super) fn get(&self, token: &str, now: Instant) -> Option<Caller> {
        let token = self.key.fingerprint(&[token]);
        let mut callers = self.callers();
        let caller = callers.get(&token)?;
        if caller.expires_at.is_none_or(|at| now < at) && !caller.expired.is_cancelled() {
            return Some(caller.clone());
        }
        callers.pop(&token);
        None
    }

    pub(super) fn put(&self, token: &str, caller: Caller) {
        let token = self.key.fingerprint(&[token]);
        self.callers().put(token, caller);
    }

    fn callers(&self) -> MutexGuard<'_, LruCache<Fingerprint, Caller>> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
