//! Corrections of async-graphql's own errors: some name a type without its format, name an argument where a field is
//! meant, or lack a code.
//!
//! They are recognised by their texts, since they have neither codes nor types. The version of async-graphql is pinned.

use async_graphql::ServerError;

use crate::{
    Options,
    errors::set_code,
    limits::{self, Excess},
    scalars::FORMATS,
};

/// The beginnings of errors about arguments that validation let pass.
pub(crate) const INVALID_ARGUMENT: [&str; 2] = ["Failed to parse \"", "Expected input type \""];
/// Refusals of Federation's `_entities`: `__typename` is missing or names no entity, or the key is missing.
const NO_ENTITY: [&str; 2] = ["Entity not found.", "\"__typename\" must be an existing string."];
const DIFFERING_ARGUMENTS: &str = "\" conflict because they have differing arguments.";

/// Completes an error of validation.
pub(crate) fn validation(error: &mut ServerError, options: &Options) {
    if error.message == "Query is too complex." {
        error.message = Excess::complexity(options).to_string();
        set_code(error, limits::CODE);
    }
    value(error);
    conflict(error);
}

/// Gives a code to a refusal of `_entities`: without one it would be a fault.
pub(crate) fn entity(error: &mut ServerError) {
    if error.source.is_none() && NO_ENTITY.contains(&error.message.as_str()) {
        "representations: want the __typename of an entity of this subgraph and the fields of its key"
            .clone_into(&mut error.message);
        set_code(error, "BAD_USER_INPUT");
    }
}

/// Adds the format of a scalar whose value was refused.
fn value(error: &mut ServerError) {
    let is_expected = |name: &str| error.message.ends_with(&format!("expected type \"{name}\""));
    if let Some((_, format)) = FORMATS.into_iter().find(|(name, _)| is_expected(name)) {
        error.message = format!("{}: want {format}", error.message);
    }
}

/// Names the places of fields with differing arguments: async-graphql's message may name an argument instead.
fn conflict(error: &mut ServerError) {
    let [first, second] = error.locations[..] else { return };
    if error.message.starts_with("Fields \"") && error.message.contains(DIFFERING_ARGUMENTS) {
        error.message = format!(
            "The fields at {}:{} and {}:{} have the same response key but differing arguments: give one of them an alias",
            first.line, first.column, second.line, second.column
        );
    }
}
