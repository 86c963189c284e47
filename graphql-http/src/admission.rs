//! What is checked of every operation before it runs, whatever way it came: by POST or GET, for a stream
//! of events, or over a WebSocket.

#[cfg(test)]
mod tests;

use async_graphql::{
    Request, Value, Variables,
    parser::types::{ExecutableDocument, OperationDefinition, OperationType, Selection},
};

use super::{Endpoint, bad_request::BadRequest, limits, parsed::NewlyParsed};

/// Fields that tell the schema: introspection's, and that of Apollo Federation.
const TELL_THE_SCHEMA: [&str; 3] = ["__schema", "__type", "_service"];

/// An operation that may run.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) request: Request,
    pub(super) kind: OperationType,
    pub(super) new_document: NewDocument,
}

/// What is to be remembered of an operation once it has run: only then is its document known to be valid.
#[derive(Debug)]
pub(super) struct NewDocument {
    /// A hash by which requests may name the document from then on, and its text.
    named: Option<(String, String)>,
    parsed: Option<NewlyParsed>,
}

impl<E> Endpoint<E> {
    /// Checks an operation. One that lacks a variable must not run: async-graphql would only notice in
    /// the middle of it. Nor must one that is too large even be parsed, or validated.
    pub(super) fn admit(&self, mut request: Request) -> Result<Admitted, BadRequest> {
        let hash = self.documents.resolve(&mut request)?;
        let (name, variables) = (request.operation_name.clone(), request.variables.clone());
        name.as_deref().map_or(Ok(()), limits::check_name).map_err(|excess| BadRequest::too_large(&excess))?;
        let is_known = self.parsed.parse(&mut request)?;
        let document = request.parsed_query().map_err(|error| BadRequest::unparsable(&error))?;
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
        let named = hash.map(|hash| (hash, request.query.clone()));
        let parsed = if is_known { None } else { NewlyParsed::of(&mut request) };
        Ok(Admitted { request, kind, new_document: NewDocument { named, parsed } })
    }

    /// Remembers the document of an operation that has run.
    pub(super) fn remember(&self, NewDocument { named, parsed }: NewDocument) {
        if let Some((hash, text)) = named {
            self.documents.remember(hash, &text);
        }
        if let Some(parsed) = parsed {
            self.parsed.remember(parsed);
        }
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
