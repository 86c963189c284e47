//! Refusals: errors that a client can do something about. They carry a code; an error without one is a fault.

use async_graphql::{Error, ID, OutputType, SimpleObject};
use uuid::Uuid;

/// The code of an error whose cause is an unavailable backend.
pub const UNAVAILABLE: &str = "UNAVAILABLE";

/// Codes of errors after which the same operation may succeed in a moment. While a backend hangs, some callers wait for
/// it in vain and others find too many waiting. A response with no other errors and no data has status 503, and
/// `Retry-After`.
pub(crate) const RETRYABLE: [&str; 3] = [UNAVAILABLE, "OVERLOADED", "SHUTTING_DOWN"];

/// Ids in an argument: as many as a page has items at most.
pub(crate) const MAX_IDS: usize = 100;

/// An error with its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The message, for people.
    pub message: String,
    /// The code, for programs.
    pub code: &'static str,
}

impl From<Refusal> for Error {
    fn from(Refusal { message, code }: Refusal) -> Self {
        let mut error = Self::new(message);
        error.extensions.get_or_insert_default().set("code", code);
        error
    }
}

/// The enum of an API's refusals: [`user_error_codes`](crate::user_error_codes) declares it.
pub trait ErrorCode: OutputType + Clone {
    /// The code of [`InvalidInput`].
    const INVALID_INPUT: Self;
}

/// A well-formed argument breaks a rule. Nothing was changed.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(shareable)]
pub struct InvalidInput<C: ErrorCode> {
    /// What to change, for people.
    pub message: String,
    /// `INVALID_INPUT`, for programs.
    pub code: String,
    /// Kind of refusal: `code` as an enum.
    #[graphql(owned)]
    pub error_code: C,
    /// The path of the argument, as in `["input", "name"]`.
    pub field: Option<Vec<String>>,
}

impl<C: ErrorCode> InvalidInput<C> {
    /// Refuses the argument at `path`.
    #[must_use]
    pub fn new(path: &[impl AsRef<str>], message: impl Into<String>) -> Self {
        let (code, error_code) = ("INVALID_INPUT".to_owned(), C::INVALID_INPUT);
        Self { message: message.into(), code, error_code, field: field(path) }
    }
}

/// The path of an argument, in the form of the field `field` of user errors.
#[must_use]
pub fn field(path: &[impl AsRef<str>]) -> Option<Vec<String>> {
    Some(path.iter().map(|name| name.as_ref().to_owned()).collect())
}

/// An error about an argument of a query, which has no payload for user errors.
#[must_use]
pub fn bad_user_input(message: impl Into<String>) -> Error {
    Refusal { message: message.into(), code: "BAD_USER_INPUT" }.into()
}

/// Parses an id argument of a query.
///
/// # Errors
/// When it is not a UUID.
pub fn parse_id(name: &str, id: &ID) -> Result<Uuid, Error> {
    id.parse().map_err(|_| bad_user_input(format!("{name}: want a UUID")))
}

/// Parses a list of ids of a query.
///
/// # Errors
/// When they are more than 100, or one is not a UUID.
pub fn parse_ids(name: &str, ids: &[ID]) -> Result<Vec<Uuid>, Error> {
    if ids.len() > MAX_IDS {
        return Err(bad_user_input(format!("{name}: want at most {MAX_IDS}, not {}", ids.len())));
    }
    ids.iter().map(|id| parse_id(name, id)).collect()
}
