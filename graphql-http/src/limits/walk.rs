//! Everything a document selects, as it is written: fragments are visited once, not where they are spread.

use async_graphql::{
    Positioned,
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};

/// All selections of all operations and fragments, in no particular order.
pub(in crate::graphql) fn selections(document: &ExecutableDocument) -> impl Iterator<Item = &Positioned<Selection>> {
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
