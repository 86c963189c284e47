//! How large an operation may be. All of it is known before anything runs or is even validated, because
//! a document of 700 bytes can keep a validator busy for hours.
//!
//! The values are those of graphql-armor and Apollo's router where these have one, with room for what
//! the explorers and code generators send.

mod excess;
mod expansion;
mod sizes;
mod tokens;
mod values;
mod walk;

use async_graphql::{SchemaBuilder, ServerError, Variables, parser::types::ExecutableDocument};

use crate::config::Api;

pub(super) use excess::{CODE, Excess};
use sizes::Sizes;
pub(super) use tokens::{check_name, scan};
pub(super) use walk::selections;

/// Bytes of a document. Error messages repeat names, and suggestions compare each with a whole type.
const MAX_DOCUMENT: usize = 64 * 1024;
/// Words, numbers, texts and signs of a document; Apollo's router takes 15,000, the introspection of explorers has about 300.
const MAX_TOKENS: usize = 5_000;
/// Brackets within brackets. The parser calls itself for each, and its stack is what a crash is made of.
const MAX_BRACKETS: usize = 64;
/// Selections within selections, fragments unfolded: just below 32, where async-graphql has a limit of
/// its own and a message that explains less.
const MAX_LEVELS: usize = 30;
/// Fields within fields. Introspection has a rule of its own: it is deep by nature, and costs by its lists.
const MAX_DEPTH: usize = 15;
/// Lists within lists of the introspection, as in graphql-js: there each level multiplies the answer.
const MAX_INTROSPECTION_LISTS: usize = 2;
/// Fields of an operation itself, fragments unfolded and repeated ones each: all of them run at once. A page that shows
/// several filtered lists has some ten.
const MAX_ROOT_FIELDS: usize = 20;
/// Fields of one object under the same name, fragments unfolded. async-graphql runs each of them before it merges what
/// they gave. Clients repeat a field in as many fragments as components show the same object.
const MAX_REPEATS: usize = 20;
/// Characters of a name. An alias is in the answer as often as its field, and error messages repeat names.
const MAX_NAME: usize = 100;
/// Twice what graphql-armor takes by default: one request may fill a page with several filtered lists.
const MAX_ALIASES: usize = 30;
/// As many as graphql-armor takes by default.
const MAX_DIRECTIVES: usize = 50;
/// There are two, `@include` and `@skip`, and neither may be repeated.
const MAX_DIRECTIVES_AT_ONE: usize = 5;
/// Fields and fragments, fragments unfolded; the introspection of explorers has about 250.
const MAX_SELECTIONS: usize = 2_000;
/// Elements of a list in an argument or a variable.
const MAX_LIST: usize = 1_000;
/// Values of all arguments together, variables put in.
const MAX_VALUES: usize = 10_000;
/// Values that an answer may have: a field counts once for each object that it is asked of, and a list
/// has as many objects as it may have at most. A page of 100 consultations with everything about them is
/// 3,400, and a page of payments 1,300; two pages of everything are for two requests. All operations of a
/// document count, whichever is chosen.
const MAX_COMPLEXITY: usize = 5_000;
/// What a total costs in such values if its list is filtered: unlike a page it reads all that matches. Ten fit.
const COUNT_COST: usize = 500;

/// Bounds what is executed, and hides the schema where `api` wants it hidden.
///
/// What async-graphql could bound besides is bounded before: see [`super::Endpoint`].
#[must_use]
pub fn bound<Q, M, S>(builder: SchemaBuilder<Q, M, S>, api: &Api) -> SchemaBuilder<Q, M, S> {
    let bounded = builder.limit_complexity(MAX_COMPLEXITY);
    if api.introspection { bounded } else { bounded.disable_introspection().disable_suggestions() }
}

/// Measures a parsed document with its variables.
pub(super) fn check(document: &ExecutableDocument, variables: &Variables) -> Result<(), Excess> {
    let sizes = Sizes::of(document, variables)?;
    values::check(document, &sizes)?;
    expansion::check(document, &sizes)
}

/// Says of async-graphql's own refusal of what is too large what ours say.
pub(super) fn explain(error: &mut ServerError) {
    if error.message == "Query is too complex." {
        error.message = Excess::Complexity.to_string();
        error.extensions.get_or_insert_default().set("code", CODE);
    }
}
