//! What a document selects when its fragments are unfolded. Each fragment is measured once, however often
//! it is spread: the time is that of reading the document, while the result may double with each line.

mod keys;
mod measure;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use async_graphql::{
    Positioned,
    parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet},
};
use async_graphql_value::Value;

use super::{Excess, MAX_DIRECTIVES_AT_ONE, MAX_INTROSPECTION_LISTS, MAX_LEVELS, Sizes};
use keys::Keys;
use measure::Measure;

pub(super) fn check(document: &ExecutableDocument, sizes: &Sizes<'_>) -> Result<(), Excess> {
    measure(document, sizes)?.within_limits()
}

/// All operations count together: all are validated, whichever is chosen.
fn measure(document: &ExecutableDocument, sizes: &Sizes<'_>) -> Result<Measure, Excess> {
    let mut expansion = Expansion { document, sizes, keys: Keys::default(), fragments: HashMap::new() };
    let mut whole = Measure::default();
    for (_, operation) in document.operations.iter() {
        let mut measure = expansion.object(&operation.node.selection_set.node, 1)?;
        let mut directives = at_one_place(&operation.node.directives)?;
        for variable in &operation.node.variable_definitions {
            directives += at_one_place(&variable.node.directives)?;
        }
        measure.directives = measure.directives.saturating_add(directives);
        whole = whole.beside(measure);
    }
    for name in document.fragments.keys() {
        // No operation needs it, but it is validated.
        if !expansion.fragments.contains_key(name.as_str()) {
            whole = whole.beside(expansion.fragment(name, 0)?);
        }
    }
    Ok(whole)
}

struct Expansion<'a> {
    document: &'a ExecutableDocument,
    sizes: &'a Sizes<'a>,
    keys: Keys<'a>,
    /// With the keys that each adds to an object; `None` while a fragment is being measured.
    fragments: HashMap<&'a str, Option<(Measure, Vec<&'a str>)>>,
}

impl<'a> Expansion<'a> {
    /// What is selected of one object: here its fields meet, from whatever fragment they come.
    fn object(&mut self, set: &'a SelectionSet, level: usize) -> Result<Measure, Excess> {
        let start = self.keys.mark();
        let mut measure = self.selection_set(set, level)?;
        measure.root_fields = self.keys.since(start).len();
        measure.repeats = measure.repeats.max(self.keys.forget(start));
        Ok(measure)
    }

    fn selection_set(&mut self, set: &'a SelectionSet, level: usize) -> Result<Measure, Excess> {
        if level > MAX_LEVELS {
            return Err(Excess::Levels);
        }
        let mut measure = Measure::default();
        for selection in &set.items {
            measure = measure.beside(self.selection(&selection.node, level)?);
        }
        measure.levels += 1;
        Ok(measure)
    }

    fn selection(&mut self, selection: &'a Selection, level: usize) -> Result<Measure, Excess> {
        let mut measure = match selection {
            Selection::Field(field) => self.field(&field.node, level)?,
            Selection::InlineFragment(fragment) => self.selection_set(&fragment.node.selection_set.node, level + 1)?,
            Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, level)?,
        };
        measure.directives = measure.directives.saturating_add(at_one_place(selection.directives())?);
        measure.selections = measure.selections.saturating_add(1);
        Ok(measure)
    }

    fn field(&mut self, field: &'a Field, level: usize) -> Result<Measure, Excess> {
        let mut measure = if field.selection_set.node.items.is_empty() {
            Measure::default()
        } else {
            self.object(&field.selection_set.node, level + 1)?
        };
        match field.name.node.as_str() {
            "__schema" | "__type" if measure.lists > MAX_INTROSPECTION_LISTS => {
                return Err(Excess::IntrospectionLists(measure.lists));
            }
            "__schema" | "__type" => measure.depth = 0,
            "fields" | "inputFields" | "interfaces" | "possibleTypes" => measure.lists += 1,
            "_entities" => {
                let representations = field.get_argument("representations").map(|argument| &argument.node);
                let asked = measure.selections.saturating_mul(self.sizes.length(representations));
                measure.entities = measure.entities.saturating_add(asked);
            }
            _ => {}
        }
        if is_filtered(field) {
            measure.filtered_totals = measure.filtered_totals.saturating_add(measure.totals);
        }
        // From here on the outermost object is the one that has this field.
        (measure.root_fields, measure.totals) = (0, usize::from(field.name.node == "totalCount"));
        measure.depth += 1;
        measure.aliases = measure.aliases.saturating_add(usize::from(field.alias.is_some()));
        self.keys.add(&[field.response_key().node.as_str()]);
        Ok(measure)
    }

    fn fragment(&mut self, name: &'a str, level: usize) -> Result<Measure, Excess> {
        // One that is missing is for validation to report.
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(Measure::default()) };
        match self.fragments.get(name) {
            Some(Some((measured, keys))) => {
                self.keys.add(keys);
                return Ok(*measured);
            }
            Some(None) => return Err(Excess::Cycle(name.to_owned())),
            None => {}
        }
        self.fragments.insert(name, None);
        let start = self.keys.mark();
        let mut measure = self.selection_set(&fragment.node.selection_set.node, level + 1)?;
        measure.directives = measure.directives.saturating_add(at_one_place(&fragment.node.directives)?);
        self.fragments.insert(name, Some((measure, self.keys.since(start).to_vec())));
        Ok(measure)
    }
}

/// Whether the field is a list of which only those are counted that match.
fn is_filtered(field: &Field) -> bool {
    field.get_argument("filter").is_some_and(|filter| filter.node != Value::Null)
}

fn at_one_place(directives: &[Positioned<Directive>]) -> Result<usize, Excess> {
    match directives.len() {
        count if count > MAX_DIRECTIVES_AT_ONE => Err(Excess::DirectivesAtOne(count)),
        count => Ok(count),
    }
}
