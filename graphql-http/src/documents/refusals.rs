//! What is told to a request whose document cannot be found or is not trusted.

use axum::http::StatusCode;

use super::BadRequest;

impl BadRequest {
    /// The message is part of Apollo's protocol: urql knows the error by it and sends the text.
    pub(super) fn persisted_query_not_found() -> Self {
        Self::about_document("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
    }

    /// So is this one: clients send the text from now on.
    pub(super) fn persisted_query_not_supported() -> Self {
        Self::about_document("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")
    }

    /// An id that nobody gave to a document. Not the message of Apollo's protocol, in which there are no ids.
    pub(super) fn unknown_document_id(advice: &str) -> Self {
        Self::about_document(format!("No document has this \"documentId\": {advice}"), "PERSISTED_QUERY_NOT_FOUND")
    }

    pub(super) fn hash_mismatch() -> Self {
        Self::new(
            "provided sha does not match query: \"sha256Hash\" must be the SHA-256 of exactly the text in \"query\", \
             in UTF-8",
        )
    }

    pub(super) fn no_hash() -> Self {
        Self::new("\"sha256Hash\" must be a SHA-256 in 64 hexadecimal digits")
    }

    pub(super) fn document_twice() -> Self {
        Self::new("Send the document in one way: as \"query\", with or without its hash, or by \"documentId\"")
    }

    /// With status 403 for any media type, as Apollo Router answers: it is not the request that is wrong, its
    /// sender may not ask this, and whoever watches statuses should see it.
    pub(super) fn not_trusted() -> Self {
        let message = "Only trusted documents are executed here, and this is none of them: add it to their directory, \
                       or send one of them";
        let refused = Self::about_document(message, "QUERY_NOT_IN_SAFELIST");
        Self { status: StatusCode::FORBIDDEN, well_formed: false, ..refused }
    }
}
