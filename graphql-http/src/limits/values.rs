//! How much the arguments hold. A variable counts wherever it is used: validation looks at it each time.

use async_graphql::{
    Positioned,
    parser::types::{Directive, ExecutableDocument, Selection},
};

use super::{Excess, MAX_VALUES, Sizes, selections, sizes::sum};

pub(super) fn check(document: &ExecutableDocument, sizes: &Sizes<'_>) -> Result<(), Excess> {
    let of_directives = |directives: &[Positioned<Directive>]| {
        let arguments = directives.iter().flat_map(|directive| &directive.node.arguments);
        sum(arguments, |(_, value)| sizes.of_value(&value.node))
    };
    let mut total = sizes.total;
    for (_, operation) in document.operations.iter() {
        total = total.saturating_add(of_directives(&operation.node.directives)?);
        for variable in &operation.node.variable_definitions {
            total = total.saturating_add(of_directives(&variable.node.directives)?);
        }
    }
    for fragment in document.fragments.values() {
        total = total.saturating_add(of_directives(&fragment.node.directives)?);
    }
    for selection in selections(document) {
        total = total.saturating_add(of_directives(selection.node.directives())?);
        if let Selection::Field(field) = &selection.node {
            total = total.saturating_add(sum(&field.node.arguments, |(_, value)| sizes.of_value(&value.node))?);
        }
    }
    if total > MAX_VALUES { Err(Excess::Values(total)) } else { Ok(()) }
}
