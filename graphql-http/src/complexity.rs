//! Complexity of list fields, for `#[graphql(complexity = ..)]`. Other fields cost 1 and their selection.
//!
//! An expression that names an argument makes async-graphql refuse valid operations: those without an optional
//! variable, and those beside another operation with variables of its own. So expressions pass on the variables of
//! async-graphql's macro: `page_cost(__ctx, __variables_definition, __field, child_complexity)`. Its version is pinned.

use async_graphql::{
    ID, InputType, Positioned, VisitorContext,
    parser::types::{Field, VariableDefinition},
};

use crate::{
    connection::{DEFAULT_SIZE, MAX_SIZE},
    refusal::MAX_IDS,
};

/// Far above any limit of complexity, and low enough that sums do not overflow.
const MAX_COST: usize = 1_000_000_000;

/// Complexity of a page of a connection: its selection times the number of rows that it may have.
#[must_use]
pub fn page_cost(
    ctx: &VisitorContext<'_>,
    variables: &[Positioned<VariableDefinition>],
    field: &Field,
    child_complexity: usize,
) -> usize {
    let size = |name| argument::<Option<i32>>(ctx, variables, field, name).flatten();
    // The resolver refuses other sizes.
    let size = size("first").or_else(|| size("last")).unwrap_or(DEFAULT_SIZE).clamp(1, MAX_SIZE);
    list_cost(size.unsigned_abs() as usize, child_complexity)
}

/// Complexity of `nodes(ids:)`: its selection times the number of ids.
#[must_use]
pub fn nodes_cost(
    ctx: &VisitorContext<'_>,
    variables: &[Positioned<VariableDefinition>],
    field: &Field,
    child_complexity: usize,
) -> usize {
    let ids = argument::<Vec<ID>>(ctx, variables, field, "ids");
    // The resolver refuses longer lists.
    list_cost(ids.map_or(1, |ids| ids.len().min(MAX_IDS)), child_complexity)
}

/// Complexity of a list of `length`.
#[must_use]
pub fn list_cost(length: usize, child_complexity: usize) -> usize {
    length.saturating_mul(child_complexity).saturating_add(1).min(MAX_COST)
}

/// The value of an argument; `None` if it is invalid, which validation reports, or its variable is absent.
#[must_use]
pub fn argument<T: InputType>(
    ctx: &VisitorContext<'_>,
    variables: &[Positioned<VariableDefinition>],
    field: &Field,
    name: &str,
) -> Option<T> {
    ctx.param_value(variables, field, name, None).ok()
}
