//! What is too large about an operation, for the one who wrote it: which limit, its value, what to do.

use thiserror::Error;

use super::{
    COUNT_COST, MAX_ALIASES, MAX_BRACKETS, MAX_COMPLEXITY, MAX_DEPTH, MAX_DIRECTIVES, MAX_DIRECTIVES_AT_ONE,
    MAX_DOCUMENT, MAX_INTROSPECTION_LISTS, MAX_LEVELS, MAX_LIST, MAX_NAME, MAX_REPEATS, MAX_ROOT_FIELDS,
    MAX_SELECTIONS, MAX_TOKENS, MAX_VALUES,
};

/// The code of what is too large.
pub(in crate::graphql) const CODE: &str = "OPERATION_TOO_LARGE";

/// Why an operation does not run.
#[derive(Debug, Error)]
pub(in crate::graphql) enum Excess {
    #[error("The document is too long: {0} bytes, at most {MAX_DOCUMENT} are allowed; pass data in variables")]
    Document(usize),
    #[error("The document has too many tokens: at most {MAX_TOKENS} are allowed; pass data in variables")]
    Tokens,
    #[error("A name is too long: {0} characters, at most {MAX_NAME} are allowed")]
    Name(usize),
    #[error("The document is nested too deeply: at most {MAX_BRACKETS} brackets within brackets are allowed")]
    Brackets,
    #[error(
        "The operation is nested too deeply: at most {MAX_LEVELS} levels of selections are allowed, fragments \
        unfolded; ask in several requests"
    )]
    Levels,
    #[error(
        "The operation is too deep: {0} levels of fields, at most {MAX_DEPTH} are allowed; ask in several requests"
    )]
    Depth(usize),
    #[error(
        "The introspection is too deep: {0} lists within lists, at most {MAX_INTROSPECTION_LISTS} are allowed; ask \
        for types by name"
    )]
    IntrospectionLists(usize),
    #[error(
        "The operation asks for too much at once: {0} fields of its own, at most {MAX_ROOT_FIELDS} are allowed, \
        fragments unfolded and repeated ones each; ask in several requests"
    )]
    RootFields(usize),
    #[error(
        "A field is repeated too often: {0} times in one object, at most {MAX_REPEATS} are allowed, fragments unfolded; \
        select it once"
    )]
    Repeats(usize),
    #[error("The operation has too many aliases: {0}, at most {MAX_ALIASES} are allowed; ask in several requests")]
    Aliases(usize),
    #[error("The operation has too many directives: {0}, at most {MAX_DIRECTIVES} are allowed")]
    Directives(usize),
    #[error("Too many directives in one place: {0}, at most {MAX_DIRECTIVES_AT_ONE} are allowed")]
    DirectivesAtOne(usize),
    #[error(
        "The operation selects too much: {0} fields and fragments, at most {MAX_SELECTIONS} are allowed, fragments \
        unfolded; ask in several requests"
    )]
    Selections(usize),
    #[error("A list is too long: {0} elements, at most {MAX_LIST} are allowed; send it in several requests")]
    List(usize),
    #[error("The arguments have too many values: {0}, at most {MAX_VALUES} are allowed; send them in several requests")]
    Values(usize),
    #[error(
        "The document is too complex: answers to its operations may have over {MAX_COMPLEXITY} values, lists as long \
        as they may be, and each total of a filtered list for {COUNT_COST}; ask for smaller pages, or in several requests"
    )]
    Complexity,
    #[error("Cannot spread fragment \"{0}\" within itself")]
    Cycle(String),
    #[error("Unterminated block string")]
    Unterminated,
}

impl Excess {
    /// The code by which programs tell it from others.
    pub(in crate::graphql) fn code(&self) -> &'static str {
        match self {
            // No size would do.
            Self::Cycle(_) => "GRAPHQL_VALIDATION_FAILED",
            Self::Unterminated => "GRAPHQL_PARSE_FAILED",
            _ => CODE,
        }
    }
}
