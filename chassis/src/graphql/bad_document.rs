//! What is told about a document that is not executed, in a request that is otherwise all right.

use async_graphql::{Name, Positioned, ServerError, parser::types::VariableDefinition};
use axum::http::StatusCode;

use super::{
    limits::Excess,
    request::{BadRequest, coded},
};

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
