//! Checks of a parsed document before it runs, the same for every transport.

#[cfg(test)]
mod tests;

use async_graphql::{
    Name, Request, Value, Variables,
    parser::types::{ExecutableDocument, OperationDefinition, OperationType, Selection},
};

use crate::{
    Options,
    bad_request::BadRequest,
    consistency::Replica,
    limits,
    meter::{self, Conclusion, Measured, Meters, Sender},
    observer::Observation,
    parsed::NewlyParsed,
};

/// Introspection fields, including Apollo Federation's `_service`.
pub(crate) const INTROSPECTION: [&str; 3] = ["__schema", "__type", "_service"];

/// An operation that may run.
pub(crate) struct Admitted {
    pub(crate) request: Request,
    pub(crate) sender: Sender,
    /// The name of the operation.
    pub(crate) name: Option<Name>,
    pub(crate) kind: OperationType,
    /// For measurements.
    pub(crate) root_field: &'static str,
    pub(crate) new_document: NewDocument,
    pub(crate) observation: Option<Observation>,
    /// Where a query reads; `None` is the primary.
    pub(crate) replica: Option<Replica>,
}

impl Admitted {
    /// Measures that it does not run, for `refusal`.
    pub(crate) fn refused(&self, meters: &Meters, refusal: BadRequest) -> BadRequest {
        let Self { sender, name, kind, root_field, .. } = self;
        let (name, conclusion, code) =
            (name.as_deref(), Conclusion::of_error(&refusal.error), meter::code(&refusal.error));
        let (kind, root_field) = (*kind, *root_field);
        meters.operation(Measured { sender, name, kind, root_field, conclusion, code, duration: None });
        refusal
    }
}

/// A document to remember once its operation has run: only then is it known to be valid.
#[derive(Debug)]
pub(crate) struct NewDocument {
    /// The hash by which requests may name the document from then on, and its text.
    pub(crate) named: Option<(String, String)>,
    pub(crate) parsed: Option<NewlyParsed>,
}

/// The operation that the request names, or the only one.
pub(crate) fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<(Option<&'a Name>, &'a OperationDefinition), BadRequest> {
    let mut operations = document.operations.iter();
    let operation = match name {
        Some(name) => operations.find(|(found, _)| found.is_some_and(|found| found == name)),
        None => operations.next().filter(|_| operations.next().is_none()),
    };
    operation.map(|(name, operation)| (name, &operation.node)).ok_or_else(|| BadRequest::no_such_operation(name))
}

/// Refuses introspection, unless the options allow it, anywhere in the document, whichever operation is chosen.
pub(crate) fn check_introspection(document: &ExecutableDocument, options: &Options) -> Result<(), BadRequest> {
    if options.introspection {
        return Ok(());
    }
    let mut fields = limits::selections(document).filter_map(|selection| match &selection.node {
        Selection::Field(field) => Some(&field.node.name),
        _ => None,
    });
    let found = fields.find(|name| INTROSPECTION.contains(&name.node.as_str()));
    found.map_or(Ok(()), |name| Err(BadRequest::introspection_disabled(name)))
}

/// Refuses an operation that lacks a variable. async-graphql would notice only in the middle of its execution.
pub(crate) fn require_variables(operation: &OperationDefinition, given: &Variables) -> Result<(), BadRequest> {
    let mut required = operation
        .variable_definitions
        .iter()
        .map(|variable| &variable.node)
        .filter(|variable| !variable.var_type.node.nullable && variable.default_value.is_none());
    let missing = required.find(|variable| given.get(&variable.name.node).is_none_or(|value| *value == Value::Null));
    missing.map_or(Ok(()), |variable| Err(BadRequest::variable_missing(variable)))
}
