//! Documents that a request names instead of carrying: by SHA-256, in Apollo's protocol of automatic persisted
//! queries, or by an id, as the GraphQL-over-HTTP appendix on persisted documents describes.
//!
//! Either any document runs, and those sent with their hash are remembered for a while; or only the documents of a
//! directory run, and nothing is remembered.

mod automatic;
mod trusted;

use std::{any::TypeId, path::Path, sync::Arc};

use async_graphql::{Request, Value};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::bad_request::BadRequest;
use automatic::Automatic;
use trusted::Trusted;

/// The extension of Apollo's protocol, and its only version.
const EXTENSION: &str = "persistedQuery";
const VERSION: u64 = 1;

/// A directory of trusted documents that cannot be used: which file, and what to change.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
pub struct DocumentsError(anyhow::Error);

/// The source of documents that requests name.
#[derive(Clone, Debug)]
pub(crate) enum Documents {
    Automatic(Arc<Automatic>),
    Trusted(Arc<Trusted>),
}

/// The parameter `documentId`, in the data of a request: async-graphql has no field for it.
#[derive(Debug)]
pub(crate) struct DocumentId(pub(crate) String);

/// The name of a document.
#[derive(Debug, PartialEq)]
enum Reference {
    /// The parameter `documentId`.
    Id(String),
    /// The extension `persistedQuery`. Beside a SHA-256 it may be an id of a trusted document: Apollo Client sends that
    /// if its manifest has ids.
    Hash(String),
}

/// The extension `persistedQuery`. Clients add fields of their own, such as urql's `miss`.
#[derive(Deserialize)]
struct PersistedQuery {
    version: u64,
    #[serde(rename = "sha256Hash")]
    sha256_hash: Option<String>,
}

impl Default for Documents {
    fn default() -> Self {
        Self::Automatic(Arc::default())
    }
}

impl Documents {
    /// The documents of `directory` and no others.
    pub(crate) fn trusted(directory: &Path) -> Result<Self, DocumentsError> {
        let trusted = Trusted::read(directory).map_err(DocumentsError)?;
        let directory = directory.display();
        tracing::info!(%directory, documents = trusted.count(), "only trusted documents are executed");
        Ok(Self::Trusted(Arc::new(trusted)))
    }

    /// Puts the text of the named document into `request`. Returns the hash of a new document to remember.
    ///
    /// An empty text beside a name is no text: some clients cannot leave it out.
    pub(crate) fn resolve(&self, request: &mut Request) -> Result<Option<String>, BadRequest> {
        let reference = Reference::of(request)?;
        let has_text = !request.query.is_empty();
        if has_text && matches!(reference, Some(Reference::Id(_))) {
            return Err(BadRequest::document_twice());
        }
        match self {
            Self::Automatic(automatic) => automatic.resolve(reference, request, has_text),
            // The text of the directory runs, whatever the text of the request.
            Self::Trusted(trusted) => {
                request.query = trusted.resolve(reference.as_ref(), &request.query)?.to_owned();
                Ok(None)
            }
        }
    }

    /// Remembers a valid document.
    pub(crate) fn remember(&self, hash: String, text: &str) {
        if let Self::Automatic(automatic) = self {
            automatic.remember(hash, text);
        }
    }
}

/// Whether `request` names a document, well-formed or not.
pub(crate) fn has_reference(request: &Request) -> bool {
    document_id(request).is_some() || extension(request).is_some()
}

impl Reference {
    fn of(request: &Request) -> Result<Option<Self>, BadRequest> {
        let id = document_id(request).map(|id| Self::Id(normalized(&id.0)));
        let hash = extension(request).map(Self::from_extension).transpose()?;
        match (id, hash) {
            (Some(_), Some(_)) => Err(BadRequest::document_twice()),
            (id, hash) => Ok(id.or(hash)),
        }
    }

    fn from_extension(extension: &Value) -> Result<Self, BadRequest> {
        let malformed = |error: &dyn std::fmt::Display| BadRequest::malformed("extension \"persistedQuery\"", &error);
        let extension = extension.clone().into_json().map_err(|error| malformed(&error))?;
        match serde_json::from_value(extension).map_err(|error| malformed(&error))? {
            PersistedQuery { version: VERSION, sha256_hash: Some(hash) } => Ok(Self::Hash(normalized(&hash))),
            PersistedQuery { version: VERSION, sha256_hash: None } => Err(malformed(&"\"sha256Hash\" is missing")),
            _ => Err(BadRequest::persisted_query_not_supported()),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Id(name) | Self::Hash(name) => name,
        }
    }
}

fn document_id(request: &Request) -> Option<&DocumentId> {
    request.data.get(&TypeId::of::<DocumentId>())?.downcast_ref()
}

fn extension(request: &Request) -> Option<&Value> {
    request.extensions.get(EXTENSION).filter(|extension| **extension != Value::Null)
}

/// The hash in lower-case hexadecimal digits.
fn sha256(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

fn is_sha256(hash: &str) -> bool {
    hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// An id in the form of the look-up: a hash without the prefix `sha256:` and in lower case.
fn normalized(id: &str) -> String {
    let hash = id.strip_prefix("sha256:").unwrap_or(id);
    if is_sha256(hash) { hash.to_ascii_lowercase() } else { id.to_owned() }
}
