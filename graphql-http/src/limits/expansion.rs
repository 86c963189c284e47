//! The size of a document with its fragments expanded. Each fragment is measured once, however often it is spread: the
//! time is linear in the document, while the expansion may double with each line.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use async_graphql::{
    Positioned,
    parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet},
};
use async_graphql_value::Value;

use super::{Excess, MAX_DIRECTIVES_AT_ONE, MAX_INTROSPECTION_LISTS, MAX_LEVELS, MAX_SELECTIONS, Sizes};

/// Initial capacity for response keys. Most documents have fewer.
const KEYS_CAPACITY: usize = 32;

/// Measures all operations together: all are validated, whichever is chosen.
pub(super) fn measure(document: &ExecutableDocument, sizes: &Sizes<'_>) -> Result<Measure, Excess> {
    let keys = Keys { stack: Vec::with_capacity(KEYS_CAPACITY), added: 0 };
    let mut expansion = Expansion { document, sizes, keys, fragments: HashMap::new() };
    let mut whole = Measure::default();
    for (_, operation) in document.operations.iter() {
        let mut measure = expansion.object(&operation.node.selection_set.node, 1)?;
        measure.add_directives(&operation.node.directives)?;
        for variable in &operation.node.variable_definitions {
            measure.add_directives(&variable.node.directives)?;
        }
        whole = whole.beside(measure);
    }
    for name in document.fragments.keys() {
        // Unused fragments are validated too.
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
    /// Each measured fragment with the keys that it adds to an object; `None` while it is being measured.
    fragments: HashMap<&'a str, Option<(Measure, Vec<&'a str>)>>,
}

impl<'a> Expansion<'a> {
    /// The selections of one object, where fields of all fragments meet.
    fn object(&mut self, set: &'a SelectionSet, level: usize) -> Result<Measure, Excess> {
        let start = self.keys.stack.len();
        let mut measure = self.selection_set(set, level)?;
        let keys = &mut self.keys.stack[start..];
        keys.sort_unstable();
        let repeats = keys.chunk_by(|one, other| one == other).map(<[_]>::len).max().unwrap_or_default();
        (measure.root_fields, measure.repeats) = (keys.len(), measure.repeats.max(repeats));
        self.keys.stack.truncate(start);
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
        measure.add_directives(selection.directives())?;
        measure.selections = measure.selections.saturating_add(1);
        Ok(measure)
    }

    fn field(&mut self, field: &'a Field, level: usize) -> Result<Measure, Excess> {
        let set = &field.selection_set.node;
        let mut measure = if set.items.is_empty() { Measure::default() } else { self.object(set, level + 1)? };
        match field.name.node.as_str() {
            "__schema" | "__type" if measure.lists > MAX_INTROSPECTION_LISTS => {
                return Err(Excess::IntrospectionLists(measure.lists));
            }
            "__schema" | "__type" => measure.depth = 0,
            "fields" | "inputFields" | "interfaces" | "possibleTypes" => measure.lists += 1,
            "_entities" => {
                let representations = field.get_argument("representations").map(|argument| &argument.node);
                let values = measure.selections.saturating_mul(self.sizes.length(representations));
                measure.entities = measure.entities.saturating_add(values);
            }
            _ => {}
        }
        if field.get_argument("filter").is_some_and(|filter| filter.node != Value::Null) {
            measure.filtered_totals = measure.filtered_totals.saturating_add(measure.totals);
        }
        // From here on these two count in the object that has this field.
        (measure.root_fields, measure.totals) = (0, usize::from(field.name.node == "totalCount"));
        measure.depth += 1;
        measure.aliases = measure.aliases.saturating_add(usize::from(field.alias.is_some()));
        self.keys.add(&[field.response_key().node.as_str()]);
        Ok(measure)
    }

    fn fragment(&mut self, name: &'a str, level: usize) -> Result<Measure, Excess> {
        // Validation reports a missing fragment.
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
        let start = self.keys.stack.len();
        let mut measure = self.selection_set(&fragment.node.selection_set.node, level + 1)?;
        measure.add_directives(&fragment.node.directives)?;
        self.fragments.insert(name, Some((measure, self.keys.stack[start..].to_vec())));
        Ok(measure)
    }
}

/// Response keys of the objects being measured: a stack, the innermost object last.
struct Keys<'a> {
    stack: Vec<&'a str>,
    added: usize,
}

impl<'a> Keys<'a> {
    /// Adds keys, each of which stands for a selection. Beyond the limit of selections the document is refused anyway:
    /// further keys take no time.
    fn add(&mut self, keys: &[&'a str]) {
        if self.added <= MAX_SELECTIONS {
            self.added += keys.len();
            self.stack.extend(keys);
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measure {
    pub(super) levels: usize,
    pub(super) depth: usize,
    /// Nesting of introspection lists.
    pub(super) lists: usize,
    pub(super) selections: usize,
    pub(super) aliases: usize,
    pub(super) directives: usize,
    /// Fields of the outermost object; of several operations the maximum.
    pub(super) root_fields: usize,
    /// The maximum of fields with one response key in an object.
    pub(super) repeats: usize,
    /// Totals of the outermost object, if it is a list.
    pub(super) totals: usize,
    pub(super) filtered_totals: usize,
    /// Values of federated entities.
    pub(super) entities: usize,
}

impl Measure {
    fn beside(self, other: Self) -> Self {
        Self {
            levels: self.levels.max(other.levels),
            depth: self.depth.max(other.depth),
            lists: self.lists.max(other.lists),
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
            root_fields: self.root_fields.max(other.root_fields),
            repeats: self.repeats.max(other.repeats),
            totals: self.totals.saturating_add(other.totals),
            filtered_totals: self.filtered_totals.saturating_add(other.filtered_totals),
            entities: self.entities.saturating_add(other.entities),
        }
    }

    /// Counts the directives of one place.
    fn add_directives(&mut self, directives: &[Positioned<Directive>]) -> Result<(), Excess> {
        let count = directives.len();
        if count > MAX_DIRECTIVES_AT_ONE {
            return Err(Excess::DirectivesAtOne(count));
        }
        self.directives = self.directives.saturating_add(count);
        Ok(())
    }
}
