//! Refusals: what a client can do something about. They carry a code; whatever has none is a fault.

use async_graphql::{Error, ID, SimpleObject};
use sea_orm::DbErr;
use uuid::Uuid;

use super::unavailable;
use crate::{messages::MESSAGES, write_coalescer::WriteError};

/// An argument is well-formed but breaks a rule; nothing was changed.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(shareable)]
pub struct InvalidInput {
    /// What to change, for people.
    pub message: String,
    /// `INVALID_INPUT`, for programs.
    pub code: String,
    /// The path of the argument, as in `["input", "name"]`.
    pub field: Option<Vec<String>>,
}

impl InvalidInput {
    /// Refuses the argument at `path`.
    #[must_use]
    pub fn new(path: &[impl AsRef<str>], message: impl Into<String>) -> Self {
        Self { message: message.into(), code: "INVALID_INPUT".to_owned(), field: field(path) }
    }
}

/// The path of an argument, in the form that every refusal has it.
#[must_use]
pub fn field(path: &[impl AsRef<str>]) -> Option<Vec<String>> {
    Some(path.iter().map(|name| name.as_ref().to_owned()).collect())
}

/// An error of a query: it has no payload to carry refusals.
#[must_use]
pub fn bad_user_input(message: impl Into<String>) -> Error {
    coded(message, "BAD_USER_INPUT")
}

/// Reads an id argument of a query.
///
/// # Errors
/// When it is no UUID.
pub fn parse_id(name: &str, id: &ID) -> Result<Uuid, Error> {
    id.parse().map_err(|_| bad_user_input(format!("{name}: want a UUID")))
}

/// A mutation that was not written: full queues, locked rows, an unavailable database and shutdown are told, the rest is a
/// fault.
#[must_use]
pub fn not_written(error: WriteError<DbErr>) -> Error {
    match error {
        WriteError::Overloaded => coded(MESSAGES.text("overloaded", &[]), "OVERLOADED"),
        WriteError::Stopped => coded(MESSAGES.text("shutting-down", &[]), "SHUTTING_DOWN"),
        WriteError::Locked => coded(MESSAGES.text("row-locked", &[]), unavailable::CODE),
        WriteError::TimedOut => coded(MESSAGES.text("unavailable", &[]), unavailable::CODE),
        // Its source tells whether the database is unavailable.
        WriteError::Failed(error) => Error::new_with_source(error),
    }
}

/// An error with a code: what a client can do something about.
#[must_use]
pub fn coded(message: impl Into<String>, code: &str) -> Error {
    let mut error = Error::new(message);
    error.extensions.get_or_insert_default().set("code", code);
    error
}
