//! Size limits of an operation. All are checked before anything runs or is even validated: a document of 700 bytes can
//! keep a validator busy for hours.
//!
//! The values are those of graphql-armor and Apollo Router where these have one, with room for the documents of
//! explorers and code generators.

mod arguments;
mod expansion;
mod tokens;

use async_graphql::{
    Positioned, Variables,
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};
use thiserror::Error;

use crate::Options;
use arguments::Sizes;
use expansion::Measure;
pub(crate) use tokens::{check_name, scan};

/// The code of an operation that exceeds a limit.
pub(crate) const CODE: &str = "OPERATION_TOO_LARGE";

/// Bytes of a document. Error messages repeat names, and suggestions compare each name with all names of a type.
const MAX_DOCUMENT: usize = 64 * 1024;
/// Tokens of a document. Apollo Router allows 15,000; the introspection of explorers has about 300.
const MAX_TOKENS: usize = 5_000;
/// Nesting of brackets. The parser recurses at each, and a stack overflow ends the process.
const MAX_BRACKETS: usize = 64;
/// Nesting of selections, fragments expanded. async-graphql's own limit of 32 explains less.
const MAX_LEVELS: usize = 30;
/// Nesting of fields. Introspection does not count: it is deep by nature, and costs by its lists.
const MAX_DEPTH: usize = 15;
/// Nesting of introspection lists, as in graphql-js: each level multiplies the response.
const MAX_INTROSPECTION_LISTS: usize = 2;
/// Root fields of an operation, fragments expanded and repeated ones each: all of them run at once. A page that shows
/// several filtered lists has some ten.
const MAX_ROOT_FIELDS: usize = 20;
/// Fields of one object under the same response key, fragments expanded. async-graphql runs each before it merges their
/// results. Clients repeat a field in as many fragments as components show the same object.
const MAX_REPEATS: usize = 20;
/// Bytes of a name. An alias is in the response as often as its field, and error messages repeat names.
const MAX_NAME: usize = 100;
/// Aliases: twice graphql-armor's default, since one request may fill a page with several filtered lists.
const MAX_ALIASES: usize = 30;
/// Directives: graphql-armor's default.
const MAX_DIRECTIVES: usize = 50;
/// Directives in one place. There are two, `@include` and `@skip`, and neither may be repeated.
const MAX_DIRECTIVES_AT_ONE: usize = 5;
/// Fields and fragments, fragments expanded. The introspection of explorers has about 250.
const MAX_SELECTIONS: usize = 2_000;
/// Elements of a list in an argument or a variable.
const MAX_LIST: usize = 1_000;
/// Values of all arguments together, variables put in.
const MAX_VALUES: usize = 10_000;

/// The limit that an operation exceeds, with a message for its author.
#[derive(Debug, Error)]
pub(crate) enum Excess {
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
        expanded; split it into several requests"
    )]
    Levels,
    #[error(
        "The operation is too deep: {0} levels of fields, at most {MAX_DEPTH} are allowed; split it into several \
             requests"
    )]
    Depth(usize),
    #[error(
        "The introspection is too deep: {0} lists within lists, at most {MAX_INTROSPECTION_LISTS} are allowed; ask \
        for types by name"
    )]
    IntrospectionLists(usize),
    #[error(
        "The operation has too many root fields: {0}, at most {MAX_ROOT_FIELDS} are allowed, fragments expanded and \
        repeated ones each; split it into several requests"
    )]
    RootFields(usize),
    #[error(
        "A field is repeated too often: {0} times in one object, at most {MAX_REPEATS} are allowed, fragments expanded; \
        select it once"
    )]
    Repeats(usize),
    #[error(
        "The operation has too many aliases: {0}, at most {MAX_ALIASES} are allowed; split it into several requests"
    )]
    Aliases(usize),
    #[error("The operation has too many directives: {0}, at most {MAX_DIRECTIVES} are allowed")]
    Directives(usize),
    #[error("Too many directives in one place: {0}, at most {MAX_DIRECTIVES_AT_ONE} are allowed")]
    DirectivesAtOne(usize),
    #[error(
        "The operation selects too much: {0} fields and fragments, at most {MAX_SELECTIONS} are allowed, fragments \
        expanded; split it into several requests"
    )]
    Selections(usize),
    #[error("A list is too long: {0} elements, at most {MAX_LIST} are allowed; send it in several requests")]
    List(usize),
    #[error("The arguments have too many values: {0}, at most {MAX_VALUES} are allowed; send them in several requests")]
    Values(usize),
    #[error(
        "The document is too complex: its operations may return over {max} values, lists at their full length, and \
        each total of a filtered list counted as {total}; ask for smaller pages, or in several requests"
    )]
    Complexity { max: usize, total: usize },
    #[error("Cannot spread fragment \"{0}\" within itself")]
    Cycle(String),
    #[error("Unterminated block string")]
    Unterminated,
}

impl Excess {
    pub(crate) fn complexity(options: &Options) -> Self {
        Self::Complexity { max: options.max_complexity, total: options.filtered_total_cost }
    }

    pub(crate) fn code(&self) -> &'static str {
        match self {
            // A cycle is an error at any size.
            Self::Cycle(_) => "GRAPHQL_VALIDATION_FAILED",
            Self::Unterminated => "GRAPHQL_PARSE_FAILED",
            _ => CODE,
        }
    }
}

/// Measures a parsed document with its variables.
pub(crate) fn check(document: &ExecutableDocument, variables: &Variables, options: &Options) -> Result<(), Excess> {
    let sizes = Sizes::of(document, variables)?;
    arguments::check(document, &sizes)?;
    let measure = expansion::measure(document, &sizes)?;
    // async-graphql counts neither: it resolves entities itself, and does not see a parent's arguments.
    let uncounted = measure.filtered_totals.saturating_mul(options.filtered_total_cost);
    match measure {
        Measure { selections, .. } if selections > MAX_SELECTIONS => Err(Excess::Selections(selections)),
        Measure { depth, .. } if depth > MAX_DEPTH => Err(Excess::Depth(depth)),
        Measure { levels, .. } if levels > MAX_LEVELS => Err(Excess::Levels),
        Measure { root_fields, .. } if root_fields > MAX_ROOT_FIELDS => Err(Excess::RootFields(root_fields)),
        Measure { repeats, .. } if repeats > MAX_REPEATS => Err(Excess::Repeats(repeats)),
        Measure { aliases, .. } if aliases > MAX_ALIASES => Err(Excess::Aliases(aliases)),
        Measure { directives, .. } if directives > MAX_DIRECTIVES => Err(Excess::Directives(directives)),
        Measure { entities, .. } if uncounted.saturating_add(entities) > options.max_complexity => {
            Err(Excess::complexity(options))
        }
        _ => Ok(()),
    }
}

/// All selections of all operations and fragments as written, in no particular order. Fragments are visited once.
pub(crate) fn selections(document: &ExecutableDocument) -> impl Iterator<Item = &Positioned<Selection>> {
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    let mut rest: Vec<_> = operations.chain(fragments).flat_map(|set| &set.items).collect();
    std::iter::from_fn(move || {
        let next = rest.pop()?;
        rest.extend(within(&next.node).into_iter().flat_map(|set| &set.items));
        Some(next)
    })
}

fn within(selection: &Selection) -> Option<&SelectionSet> {
    match selection {
        Selection::Field(field) => Some(&field.node.selection_set.node),
        Selection::InlineFragment(fragment) => Some(&fragment.node.selection_set.node),
        Selection::FragmentSpread(_) => None,
    }
}
