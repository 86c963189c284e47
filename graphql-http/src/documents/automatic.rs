//! Documents that were sent with their hash, remembered in bounded memory: whoever sends the hash of one that
//! was forgotten is told so and sends the text again.

#[cfg(test)]
mod tests;

use async_graphql::Request;

use super::{super::memory::Memory, BadRequest, Reference, is_sha256, sha256};

/// Room for the documents of many applications: one of them is about 1 kB.
const MAX_BYTES: usize = 4 * 1024 * 1024;
const MAX_COUNT: usize = 4_000;
/// A larger document runs and is not remembered: few of them would push out all others.
const MAX_DOCUMENT: usize = 64 * 1024;
#[derive(Debug)]
pub(in crate::graphql) struct Automatic(Memory<Box<str>>);

impl Default for Automatic {
    fn default() -> Self {
        Self(Memory::new(MAX_BYTES, MAX_COUNT))
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
        if text.len() <= MAX_DOCUMENT {
            self.0.remember(hash, text.into(), text.len());
        }
    }

    fn recall(&self, hash: &str) -> Option<String> {
        self.0.recall(hash).map(String::from)
    }
}
