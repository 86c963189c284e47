//! Values in arguments and variables. A variable counts wherever it is used: validation visits it each time.

use std::collections::HashMap;

use async_graphql::{
    Positioned, Variables,
    parser::types::{Directive, ExecutableDocument, Selection},
};
use async_graphql_value::{ConstValue, Value};

use super::{Excess, MAX_LIST, MAX_VALUES, selections};

/// The sizes of the variables of a document, as given or by default. Of several operations the largest default counts,
/// whichever is chosen.
pub(super) struct Sizes<'a> {
    by_name: HashMap<&'a str, Size>,
    /// Values of all variables and defaults together.
    total: usize,
}

#[derive(Clone, Copy, Default)]
struct Size {
    values: usize,
    /// Elements, if it is a list.
    length: usize,
}

/// Counts the values of all arguments.
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

impl<'a> Sizes<'a> {
    pub(super) fn of(document: &'a ExecutableDocument, variables: &'a Variables) -> Result<Self, Excess> {
        let mut sizes = Self { by_name: HashMap::new(), total: 0 };
        for (name, value) in variables.iter() {
            let size = sizes.of_constant(value)?;
            sizes.by_name.insert(name, size);
        }
        for (_, operation) in document.operations.iter() {
            for variable in &operation.node.variable_definitions {
                let Some(default) = &variable.node.default_value else { continue };
                let (name, size) = (&variable.node.name.node, sizes.of_constant(&default.node)?);
                if !variables.contains_key(name) {
                    let largest = sizes.by_name.entry(name).or_default();
                    largest.values = largest.values.max(size.values);
                    largest.length = largest.length.max(size.length);
                }
            }
        }
        Ok(sizes)
    }

    /// The elements of an argument. A value that is not a list stands for a list of one.
    pub(super) fn length(&self, argument: Option<&Value>) -> usize {
        match argument {
            Some(Value::List(list)) => list.len(),
            Some(Value::Variable(name)) => self.by_name.get(name.as_str()).map_or(1, |size| size.length.max(1)),
            _ => 1,
        }
    }

    /// The values of an argument.
    fn of_value(&self, value: &Value) -> Result<usize, Excess> {
        let within = match value {
            Value::Variable(name) => self.by_name.get(name.as_str()).map_or(0, |size| size.values),
            Value::List(list) => sum(checked(list)?, |value| self.of_value(value))?,
            Value::Object(object) => sum(object.values(), |value| self.of_value(value))?,
            _ => 0,
        };
        Ok(within.saturating_add(1))
    }

    fn of_constant(&mut self, value: &ConstValue) -> Result<Size, Excess> {
        let length = if let ConstValue::List(list) = value { list.len() } else { 0 };
        let size = Size { values: count(value)?, length };
        self.total = self.total.saturating_add(size.values);
        Ok(size)
    }
}

/// Recursion is bounded by the limit of brackets, and in variables by that of the JSON reader.
fn count(value: &ConstValue) -> Result<usize, Excess> {
    let within = match value {
        ConstValue::List(list) => sum(checked(list)?, count)?,
        ConstValue::Object(object) => sum(object.values(), count)?,
        _ => 0,
    };
    Ok(within.saturating_add(1))
}

fn checked<T>(list: &[T]) -> Result<&[T], Excess> {
    if list.len() > MAX_LIST { Err(Excess::List(list.len())) } else { Ok(list) }
}

fn sum<T>(values: impl IntoIterator<Item = T>, of: impl Fn(T) -> Result<usize, Excess>) -> Result<usize, Excess> {
    values.into_iter().try_fold(0_usize, |sum, value| Ok(sum.saturating_add(of(value)?)))
}
