//! Automatic persisted queries: documents sent with their hash, remembered in bounded memory. The hash of a forgotten
//! document is refused, and the client sends the text again.

#[cfg(test)]
mod tests;

use async_graphql::Request;

use super::{Reference, is_sha256, sha256};
use crate::{bad_request::BadRequest, memory::Memory};

/// Bytes of all remembered documents. A document of an application has about 1 kB.
const MAX_BYTES: usize = 4 * 1024 * 1024;
const MAX_COUNT: usize = 4_000;
/// Bytes of a remembered document: a few larger ones would push out all others.
const MAX_DOCUMENT: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Automatic(Memory<Box<str>>);

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
                "send the text as \"query\", or let the operator set a directory of trusted documents",
            )),
            Some(Reference::Hash(hash)) if !is_sha256(&hash) => {
                Err(BadRequest::new("\"sha256Hash\" must be a SHA-256 in 64 hexadecimal digits"))
            }
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
