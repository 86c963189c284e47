//! What a field costs that gives a list, for `#[graphql(complexity = ..)]`. All others cost 1 and what is
//! selected of them.
//!
//! Such an expression may name arguments, but then async-graphql refuses operations that it would run: those
//! that leave out a variable that may be left out, and those beside another operation with variables of its
//! own. So the expressions hand on what async-graphql's macro has, by its names for it:
//! `page_cost(__ctx, __variables_definition, __field, child_complexity)`. Its version is pinned.

use async_graphql::{
    InputType, Positioned, VisitorContext,
    parser::types::{Field, VariableDefinition},
};

use super::connection::{DEFAULT_SIZE, MAX_SIZE};

/// Far above any limit of complexity, and low enough that sums of such costs do not overflow.
const MAX_COST: usize = 1_000_000_000;

/// What a page of a connection costs: what is selected of it, as many times as it may have rows.
#[must_use]
pub fn page_cost(
    ctx: &VisitorContext<'_>,
    variables: &[Positioned<VariableDefinition>],
    field: &Field,
    child_complexity: usize,
) -> usize {
    let size = |name| argument::<Option<i32>>(ctx, variables, field, name).flatten();
    // Other sizes are refused when the field is resolved.
    let size = size("first").or_else(|| size("last")).unwrap_or(DEFAULT_SIZE).clamp(1, MAX_SIZE);
    list_cost(size.unsigned_abs() as usize, child_complexity)
}

/// What a list of `length` costs.
#[must_use]
pub fn list_cost(length: usize, child_complexity: usize) -> usize {
    length.saturating_mul(child_complexity).saturating_add(1).min(MAX_COST)
}

/// An argument, unless it is wrong, for which there is a better place to say so, or its variable is absent.
#[must_use]
pub fn argument<T: InputType>(
    ctx: &VisitorContext<'_>,
    variables: &[Positioned<VariableDefinition>],
    field: &Field,
    name: &str,
) -> Option<T> {
    ctx.param_value(variables, field, name, None).ok()
}
