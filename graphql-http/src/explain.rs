//! What async-graphql's own errors lack: they name a type where a client needs to know what the type takes, an argument
//! where a field is meant, and call a client's mistake a fault.
//!
//! They have neither codes nor types to tell them by, but fixed texts. Its version is pinned.

use async_graphql::ServerError;

use super::{limits, scalars::WANTED};

/// Of federation's `_entities`: no `__typename`, one that is no entity here, or no key.
const NOT_FOUND: [&str; 2] = ["Entity not found.", "\"__typename\" must be an existing string."];
const NOT_AN_ENTITY: &str =
    "representations: want the __typename of an entity of this subgraph and the fields of its key";
const DIFFERING: &str = "\" conflict because they have differing arguments.";

/// Completes an error of validation.
pub(super) fn invalid(error: &mut ServerError) {
    limits::explain(error);
    value(error);
    conflict(error);
}

/// Gives a code to what `_entities` refuses, which comes without, as faults do.
pub(super) fn entity(error: &mut ServerError) {
    if error.source.is_none() && NOT_FOUND.contains(&error.message.as_str()) {
        NOT_AN_ENTITY.clone_into(&mut error.message);
        error.extensions.get_or_insert_default().set("code", "BAD_USER_INPUT");
    }
}

/// Says what the scalar takes whose value was refused.
fn value(error: &mut ServerError) {
    let is_meant = |name: &str| error.message.ends_with(&format!("expected type \"{name}\""));
    if let Some((_, wanted)) = WANTED.into_iter().find(|(name, _)| is_meant(name)) {
        error.message = format!("{}: want {wanted}", error.message);
    }
}

/// Names fields with differing arguments by their places: the name that is given may be that of an argument.
fn conflict(error: &mut ServerError) {
    let [first, second] = error.locations[..] else { return };
    if error.message.starts_with("Fields \"") && error.message.contains(DIFFERING) {
        error.message = format!(
            "The fields at {}:{} and {}:{} have the same name in the answer but differing arguments: give one of them an \
             alias",
            first.line, first.column, second.line, second.column
        );
    }
}
