//! What is checked of every operation before it runs, whatever way it came: by POST or GET, for a stream
//! of events, or over a WebSocket.

use async_graphql::{
    Request, Value, Variables,
    parser::types::{ExecutableDocument, OperationDefinition, OperationType, Selection},
};

use super::{Endpoint, bad_request::BadRequest, limits};

/// Fields that tell the schema: introspection's, and that of Apollo Federation.
const TELL_THE_SCHEMA: [&str; 3] = ["__schema", "__type", "_service"];

/// An operation that may run.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) request: Request,
    pub(super) kind: OperationType,
}

impl<E> Endpoint<E> {
    /// Checks an operation. One that lacks a variable must not run: async-graphql would only notice in
    /// the middle of it. Nor must one that is too large even be parsed, or validated.
    pub(super) fn admit(&self, mut request: Request) -> Result<Admitted, BadRequest> {
        let new = self.documents.resolve(&mut request)?;
        let (name, variables) = (request.operation_name.clone(), request.variables.clone());
        let document = self.parsed.parse(&mut request)?;
        limits::check(document, &variables).map_err(|excess| BadRequest::too_large(&excess))?;
        if !self.introspection {
            forbid_introspection(document)?;
        }
        let mut operations = document.operations.iter();
        let operation = match &name {
            Some(name) => operations.find(|(found, _)| found.is_some_and(|found| found == name)),
            None => operations.next().filter(|_| operations.next().is_none()),
        };
        let (_, operation) = operation.ok_or_else(|| BadRequest::no_such_operation(name.as_deref()))?;
        require_variables(&operation.node, &variables)?;
        let kind = operation.node.ty;
        // Only now, so that what may not run is not remembered.
        if let Some(hash) = new {
            self.documents.remember(hash, &request.query);
        }
        Ok(Admitted { request, kind })
    }
}

/// Of the whole document, whichever operation is chosen: no client needs the rest.
fn forbid_introspection(document: &ExecutableDocument) -> Result<(), BadRequest> {
    let mut fields = limits::selections(document).filter_map(|selection| match &selection.node {
        Selection::Field(field) => Some(&field.node.name),
        _ => None,
    });
    let telling = fields.find(|name| TELL_THE_SCHEMA.contains(&name.node.as_str()));
    telling.map_or(Ok(()), |name| Err(BadRequest::tells_no_schema(name)))
}

fn require_variables(operation: &OperationDefinition, given: &Variables) -> Result<(), BadRequest> {
    let mut required = operation
        .variable_definitions
        .iter()
        .map(|variable| &variable.node)
        .filter(|variable| !variable.var_type.node.nullable && variable.default_value.is_none());
    let missing = required.find(|variable| given.get(&variable.name.node).is_none_or(|value| *value == Value::Null));
    missing.map_or(Ok(()), |variable| Err(BadRequest::lacks_variable(variable)))
}
