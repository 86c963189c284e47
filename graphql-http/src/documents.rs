//! Documents that a request names rather than carries: by their SHA-256, in Apollo's protocol of automatic
//! persisted queries, or by an id, as the appendix of GraphQL over HTTP on persisted documents has it.
//!
//! Either any document runs, and those that were sent with their hash are remembered for a while; or only
//! those of a directory that the operator trusts run, and nothing is remembered.

mod automatic;
mod manifest;
mod reference;
mod refusals;
mod trusted;

use std::{path::Path, sync::Arc};

use async_graphql::Request;
use sha2::{Digest, Sha256};

use super::bad_request::BadRequest;
use automatic::Automatic;
use reference::Reference;
use trusted::Trusted;

pub(super) use reference::{DocumentId, names_one};

/// Where the texts of documents are that requests name.
#[derive(Clone, Debug)]
pub(super) enum Documents {
    Automatic(Arc<Automatic>),
    Trusted(Arc<Trusted>),
}

impl Default for Documents {
    fn default() -> Self {
        Self::Automatic(Arc::default())
    }
}

impl Documents {
    /// Those of `directory` and no others.
    pub(super) fn trusted(directory: &Path) -> anyhow::Result<Self> {
        let trusted = Trusted::read(directory)?;
        let directory = directory.display();
        tracing::info!(%directory, documents = trusted.count(), "only trusted documents are executed");
        Ok(Self::Trusted(Arc::new(trusted)))
    }

    /// Puts into `request` the text of the document that it names, and gives its hash if it is worth to be
    /// remembered. An empty text beside a name is no text: some clients cannot leave it out.
    pub(super) fn resolve(&self, request: &mut Request) -> Result<Option<String>, BadRequest> {
        let reference = Reference::of(request)?;
        let has_text = !request.query.is_empty();
        if has_text && matches!(reference, Some(Reference::Id(_))) {
            return Err(BadRequest::document_twice());
        }
        match self {
            Self::Automatic(automatic) => automatic.resolve(reference, request, has_text),
            // What runs is always the text of the directory, whatever the name or the text of the request.
            Self::Trusted(trusted) => {
                request.query = trusted.resolve(reference.as_ref(), &request.query)?.to_owned();
                Ok(None)
            }
        }
    }

    /// Remembers a document that has passed admission.
    pub(super) fn remember(&self, hash: String, text: &str) {
        if let Self::Automatic(automatic) = self {
            automatic.remember(hash, text);
        }
    }
}

/// In lower-case hexadecimal digits.
fn sha256(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

fn is_sha256(hash: &str) -> bool {
    hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// An id as it is looked up: `sha256:` says nothing that 64 hexadecimal digits do not, nor do capitals.
fn normalized(id: &str) -> String {
    let hash = id.strip_prefix("sha256:").unwrap_or(id);
    if is_sha256(hash) { hash.to_ascii_lowercase() } else { id.to_owned() }
}
