//! Requests that are not executed: the status, the error, and what to change.

mod forbidden;

use std::fmt::Display;

use async_graphql::{Name, Positioned, ServerError, parser::types::VariableDefinition};
use axum::http::StatusCode;

use crate::{body::BodyError, errors, limits::Excess};

const BAD: &str = "BAD_REQUEST";
const TIMEOUT: &str = "REQUEST_TIMEOUT";

/// The reason why a request is not executed.
#[derive(Debug)]
pub(crate) struct BadRequest {
    pub(crate) status: StatusCode,
    /// The request is well-formed HTTP with a GraphQL document. Its response to clients of `application/json` has
    /// status 200, as the GraphQL-over-HTTP specification asks for.
    pub(crate) well_formed: bool,
    pub(crate) error: Box<ServerError>,
}

/// Faults of the HTTP request.
impl BadRequest {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::with(StatusCode::BAD_REQUEST, BAD, message)
    }

    pub(crate) fn malformed(what: &str, error: &impl Display) -> Self {
        Self::new(format!("Malformed {what}: {error}"))
    }

    pub(crate) fn body(error: &BodyError, limit: usize) -> Self {
        match error {
            BodyError::Encoded(coding) => Self::unsupported(format!(
                "The body has content-encoding: {coding}, which is not supported: send it without"
            )),
            BodyError::TooLarge => {
                Self::with(StatusCode::PAYLOAD_TOO_LARGE, BAD, format!("The body is over {} kB", limit / 1024))
            }
            BodyError::Broken(how) => Self::new(format!("The body could not be read to its end: {how}")),
        }
    }

    pub(crate) fn mutation_by_get() -> Self {
        Self::not_allowed("A mutation may not be sent by GET: send it by POST")
    }

    pub(crate) fn method_not_allowed(method: impl Display) -> Self {
        Self::not_allowed(format!("Method {method} is not allowed: the header Allow names the methods of this path"))
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::with(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "Credentials are required")
    }

    pub(crate) fn not_acceptable() -> Self {
        Self::unacceptable("Responses are application/graphql-response+json or application/json: accept one of them")
    }

    pub(crate) fn subscription_needs_stream() -> Self {
        Self::unacceptable(
            "A subscription has many results: accept text/event-stream, or open a WebSocket with the protocol \
             graphql-transport-ws",
        )
    }

    pub(crate) fn too_many_subscriptions(limit: usize) -> Self {
        Self::overloaded(format!("Your share of the {limit} places for subscriptions is taken; end some, or try again"))
    }

    pub(crate) fn too_many_operations(limit: usize) -> Self {
        Self::overloaded(format!("A WebSocket has at most {limit} operations at once; open another"))
    }

    pub(crate) fn too_many_uninitialised() -> Self {
        Self::overloaded(
            "Too many WebSockets wait for connection_init; try again, or send credentials with the upgrade",
        )
    }

    pub(crate) fn read_timeout() -> Self {
        Self::with(StatusCode::REQUEST_TIMEOUT, TIMEOUT, "The request came too slowly; nothing was done")
    }

    pub(crate) fn execution_timeout() -> Self {
        Self::with(StatusCode::GATEWAY_TIMEOUT, TIMEOUT, "The request took too long; what it began may still be done")
    }

    fn not_allowed(message: impl Into<String>) -> Self {
        Self::with(StatusCode::METHOD_NOT_ALLOWED, BAD, message)
    }

    fn unacceptable(message: &str) -> Self {
        Self::with(StatusCode::NOT_ACCEPTABLE, BAD, message)
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::with(StatusCode::UNSUPPORTED_MEDIA_TYPE, BAD, message)
    }

    fn overloaded(message: impl Into<String>) -> Self {
        Self::with(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", message)
    }

    fn with(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let mut error = Box::new(ServerError::new(message, None));
        errors::set_code(&mut error, code);
        Self { status, well_formed: false, error }
    }
}

/// Faults of the document.
impl BadRequest {
    pub(crate) fn document(message: impl Into<String>, code: &str) -> Self {
        Self { well_formed: true, ..Self::with(StatusCode::BAD_REQUEST, code, message) }
    }

    pub(crate) fn unparsable(error: &ServerError) -> Self {
        let mut unparsable = Self::document(error.message.as_str(), "GRAPHQL_PARSE_FAILED");
        unparsable.error.locations.clone_from(&error.locations);
        unparsable
    }

    pub(crate) fn introspection_disabled(field: &Positioned<Name>) -> Self {
        let message = format!(
            "GraphQL introspection is not allowed here, but the document asks for {}; the operator can allow it by the \
             setting \"introspection\"",
            field.node
        );
        let mut refused = Self::document(message, "GRAPHQL_VALIDATION_FAILED");
        refused.error.locations.push(field.pos);
        refused
    }

    pub(crate) fn no_such_operation(name: Option<&str>) -> Self {
        let message = match name {
            Some(name) => format!("Unknown operation named \"{name}\""),
            None => "Name the operation to run in \"operationName\"".to_owned(),
        };
        Self::document(message, "OPERATION_RESOLUTION_FAILURE")
    }

    pub(crate) fn variable_missing(variable: &VariableDefinition) -> Self {
        let VariableDefinition { name, var_type, .. } = variable;
        let message = format!("The variable \"${}\" of type \"{}\" is required", name.node, var_type.node);
        let mut missing = Self::document(message, "GRAPHQL_VALIDATION_FAILED");
        missing.error.locations.push(name.pos);
        missing
    }
}

/// Documents that are unknown.
impl BadRequest {
    /// The message is part of Apollo's protocol: urql recognises it and sends the text.
    pub(crate) fn persisted_query_not_found() -> Self {
        Self::document("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
    }

    /// The message is part of Apollo's protocol: clients send the text from then on.
    pub(crate) fn persisted_query_not_supported() -> Self {
        Self::document("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")
    }

    /// Apollo's protocol has no ids, so its message would mislead.
    pub(crate) fn unknown_document_id(advice: &str) -> Self {
        Self::document(format!("No document has this \"documentId\": {advice}"), "PERSISTED_QUERY_NOT_FOUND")
    }

    pub(crate) fn hash_mismatch() -> Self {
        Self::new(
            "provided sha does not match query: \"sha256Hash\" must be the SHA-256 of exactly the text in \"query\", \
             in UTF-8",
        )
    }

    pub(crate) fn document_twice() -> Self {
        Self::new("Send the document in one way: as \"query\", with or without its hash, or by \"documentId\"")
    }
}

impl From<Excess> for BadRequest {
    fn from(excess: Excess) -> Self {
        Self::document(excess.to_string(), excess.code())
    }
}
