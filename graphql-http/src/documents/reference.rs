//! How a request names its document.

use std::any::TypeId;

use async_graphql::{Request, Value};
use serde::Deserialize;

use super::{BadRequest, normalized};

const EXTENSION: &str = "persistedQuery";
/// The only version of Apollo's protocol there is.
const VERSION: u64 = 1;

/// The parameter `documentId`, among the data of a request: async-graphql has no field for it.
#[derive(Debug)]
pub(in crate::graphql) struct DocumentId(pub(in crate::graphql) String);

/// The name of a document.
#[derive(Debug, PartialEq)]
pub(super) enum Reference {
    /// By the parameter `documentId`.
    Id(String),
    /// By the extension `persistedQuery`. Where documents are trusted it may be an id of any kind, which is
    /// what Apollo Client sends there if its manifest has ids of its own.
    Hash(String),
}

/// The extension `persistedQuery`. Clients add fields of their own, as urql does with `miss`.
#[derive(Deserialize)]
struct PersistedQuery {
    version: u64,
    #[serde(rename = "sha256Hash")]
    sha256_hash: Option<String>,
}

/// Whether `request` names a document, well or badly.
pub(in crate::graphql) fn names_one(request: &Request) -> bool {
    document_id(request).is_some() || extension(request).is_some()
}

impl Reference {
    pub(super) fn of(request: &Request) -> Result<Option<Self>, BadRequest> {
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

    pub(super) fn name(&self) -> &str {
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
