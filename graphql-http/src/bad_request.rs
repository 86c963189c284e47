//! What is told about a request that is not executed.

use async_graphql::{Name, Positioned, ServerError, parser::types::VariableDefinition};
use axum::http::StatusCode;

use super::limits::Excess;
use crate::body::NotRead;

/// The request was not executed.
#[derive(Debug)]
pub(super) struct BadRequest {
    pub(super) status: StatusCode,
    /// Whether the request was well-formed HTTP with a GraphQL document: then `application/json` clients
    /// get status 200, as the GraphQL-over-HTTP specification asks for.
    pub(super) well_formed: bool,
    pub(super) error: Box<ServerError>,
}

/// About the request.
impl BadRequest {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, well_formed: false, error: Box::new(coded(message, "BAD_REQUEST")) }
    }

    pub(super) fn malformed(what: &str, error: &impl std::fmt::Display) -> Self {
        Self::new(format!("Malformed {what}: {error}"))
    }

    pub(super) fn not_json() -> Self {
        Self::unsupported("Send the request as JSON, with the header content-type: application/json")
    }

    pub(super) fn not_utf_8(charset: &str) -> Self {
        Self::unsupported(format!("The content type says charset={charset}: send JSON in UTF-8, the only one it has"))
    }

    pub(super) fn not_read(why: &NotRead, limit: usize) -> Self {
        match why {
            NotRead::Encoded(coding) => Self::unsupported(format!(
                "The body is sent with content-encoding: {coding}, which is not undone here: send it as it is"
            )),
            NotRead::TooLarge => {
                let message = format!("The body is over {} kB", limit / 1024);
                Self { status: StatusCode::PAYLOAD_TOO_LARGE, ..Self::new(message) }
            }
            NotRead::Broken(how) => Self::new(format!("The body could not be read to its end: {how}")),
        }
    }

    fn unsupported(message: impl Into<String>) -> Self {
        Self { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, ..Self::new(message) }
    }

    pub(super) fn only_by_post() -> Self {
        let message = "A mutation may not be sent by GET: send it by POST";
        Self { status: StatusCode::METHOD_NOT_ALLOWED, ..Self::new(message) }
    }

    pub(super) fn cross_site() -> Self {
        let message = "Pages of other sites may not call this API; call it from your server, or from a page of its own \
            origin";
        let error = Box::new(coded(message, "FORBIDDEN"));
        Self { status: StatusCode::FORBIDDEN, well_formed: false, error }
    }

    pub(super) fn needs_stream() -> Self {
        let message = "A subscription has many answers: accept text/event-stream, or open a WebSocket with the \
                       protocol graphql-transport-ws";
        Self { status: StatusCode::NOT_ACCEPTABLE, ..Self::new(message) }
    }

    pub(super) fn too_many_subscriptions(limit: usize) -> Self {
        let message = format!("Your share of the {limit} places for subscriptions is taken; end some, or try again");
        let error = Box::new(coded(message, "OVERLOADED"));
        Self { status: StatusCode::SERVICE_UNAVAILABLE, well_formed: false, error }
    }

    pub(super) fn too_many_operations(limit: usize) -> Self {
        let message = format!("A WebSocket has at most {limit} operations at once; open another");
        let error = Box::new(coded(message, "OVERLOADED"));
        Self { status: StatusCode::SERVICE_UNAVAILABLE, well_formed: false, error }
    }

    pub(super) fn too_many_newcomers() -> Self {
        let message =
            "Too many WebSockets have not introduced themselves; try again, or send credentials with the upgrade";
        let error = Box::new(coded(message, "OVERLOADED"));
        Self { status: StatusCode::SERVICE_UNAVAILABLE, well_formed: false, error }
    }

    pub(super) fn not_acceptable() -> Self {
        let message = "Answers are application/graphql-response+json or application/json: accept one of them";
        Self { status: StatusCode::NOT_ACCEPTABLE, ..Self::new(message) }
    }

    pub(super) fn came_too_slowly() -> Self {
        let error = Box::new(coded("The request came too slowly; nothing was done", "REQUEST_TIMEOUT"));
        Self { status: StatusCode::REQUEST_TIMEOUT, well_formed: false, error }
    }

    pub(super) fn took_too_long() -> Self {
        let error = Box::new(coded("The request took too long; what it began may still be done", "REQUEST_TIMEOUT"));
        Self { status: StatusCode::GATEWAY_TIMEOUT, well_formed: false, error }
    }
}

/// About its document.
impl BadRequest {
    pub(super) fn about_document(message: impl Into<String>, code: &str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, well_formed: true, error: Box::new(coded(message, code)) }
    }

    pub(super) fn unparsable(error: &ServerError) -> Self {
        let mut unparsable = Self::about_document(error.message.as_str(), "GRAPHQL_PARSE_FAILED");
        unparsable.error.locations.clone_from(&error.locations);
        unparsable
    }

    pub(super) fn too_large(excess: &Excess) -> Self {
        Self::about_document(excess.to_string(), excess.code())
    }

    pub(super) fn tells_no_schema(field: &Positioned<Name>) -> Self {
        let message = format!(
            "GraphQL introspection is not allowed here, but the document asks for {}; who runs the service can allow \
             it by its setting \"introspection\"",
            field.node
        );
        let mut refused = Self::about_document(message, "GRAPHQL_VALIDATION_FAILED");
        refused.error.locations.push(field.pos);
        refused
    }

    pub(super) fn no_such_operation(name: Option<&str>) -> Self {
        let message = match name {
            Some(name) => format!("Unknown operation named \"{name}\""),
            None => "Say in \"operationName\" which of the operations to run".to_owned(),
        };
        Self::about_document(message, "OPERATION_RESOLUTION_FAILURE")
    }

    pub(super) fn lacks_variable(variable: &VariableDefinition) -> Self {
        let VariableDefinition { name, var_type, .. } = variable;
        let message = format!("The variable \"${}\" of type \"{}\" is required", name.node, var_type.node);
        let mut lacking = Self::about_document(message, "GRAPHQL_VALIDATION_FAILED");
        lacking.error.locations.push(name.pos);
        lacking
    }
}

fn coded(message: impl Into<String>, code: &str) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", code);
    error
}
