//! Documents that were sent with their hash, remembered in bounded memory: whoever sends the hash of one that
//! was forgotten is told so and sends the text again.

#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_graphql::Request;
use lru::LruCache;

use super::{BadRequest, Reference, is_sha256, sha256};

/// Room for the documents of many applications: one of them is about 1 kB.
const MAX_BYTES: usize = 4 * 1024 * 1024;
const MAX_COUNT: usize = 4_000;
/// A larger document runs and is not remembered: few of them would push out all others.
const MAX_DOCUMENT: usize = 64 * 1024;
/// What one costs beside its text: the hash, and its places in the list and in the table.
const OVERHEAD: usize = 256;

#[derive(Debug, Default)]
pub(in crate::graphql) struct Automatic(Mutex<Remembered>);

#[derive(Debug)]
struct Remembered {
    texts: LruCache<String, Box<str>>,
    bytes: usize,
}

impl Default for Remembered {
    fn default() -> Self {
        // Bounded below; with a capacity it would take the memory for its table at once.
        Self { texts: LruCache::unbounded(), bytes: 0 }
    }
}

impl Automatic {
    pub(super) fn resolve(
        &self,
        reference: Option<Reference>,
        request: &mut Request,
        has_text: bool,
    ) -> Result<Option<String>, BadRequest> {
        match reference {
            None => Ok(None),
            Some(Reference::Id(_)) => Err(BadRequest::unknown_document_id(
                "none are known here by an id; send the text as \"query\", or let the operator set a directory of \
                 trusted documents",
            )),
            Some(Reference::Hash(hash)) if !is_sha256(&hash) => Err(BadRequest::no_hash()),
            Some(Reference::Hash(hash)) if has_text && sha256(&request.query) == hash => Ok(Some(hash)),
            Some(Reference::Hash(_)) if has_text => Err(BadRequest::hash_mismatch()),
            Some(Reference::Hash(hash)) => {
                request.query = self.recall(&hash).ok_or_else(BadRequest::persisted_query_not_found)?;
                Ok(None)
            }
        }
    }

    pub(super) fn remember(&self, hash: String, text: &str) {
        if text.len() > MAX_DOCUMENT {
            return;
        }
        let mut remembered = self.lock();
        remembered.bytes += cost(text);
        if let Some((_, same)) = remembered.texts.push(hash, text.into()) {
            remembered.bytes -= cost(&same);
        }
        while remembered.bytes > MAX_BYTES || remembered.texts.len() > MAX_COUNT {
            let Some((_, oldest)) = remembered.texts.pop_lru() else { break };
            remembered.bytes -= cost(&oldest);
        }
    }

    fn recall(&self, hash: &str) -> Option<String> {
        self.lock().texts.get(hash).map(ToString::to_string)
    }

    /// Nothing in here panics half-way.
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cost(text: &str) -> usize {
    text.len() + OVERHEAD
}
