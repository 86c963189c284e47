//! How large variables are, as given or by default. A default counts where nothing is given: of several operations the
//! largest, whichever is chosen.

use std::collections::HashMap;

use async_graphql::{Variables, parser::types::ExecutableDocument};
use async_graphql_value::{ConstValue, Value};

use super::{Excess, MAX_LIST};

/// The sizes of the variables of a document.
pub(super) struct Sizes<'a> {
    by_name: HashMap<&'a str, Size>,
    /// Values of all variables together, and of all defaults.
    pub(super) total: usize,
}

#[derive(Clone, Copy, Default)]
struct Size {
    values: usize,
    /// Elements, if it is a list.
    length: usize,
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

    /// How many values an argument has. A variable counts wherever it is used.
    pub(super) fn of_value(&self, value: &Value) -> Result<usize, Excess> {
        let within = match value {
            Value::Variable(name) => self.by_name.get(name.as_str()).map_or(0, |size| size.values),
            Value::List(list) => sum(checked(list)?, |value| self.of_value(value))?,
            Value::Object(object) => sum(object.values(), |value| self.of_value(value))?,
            _ => 0,
        };
        Ok(within.saturating_add(1))
    }

    /// How many elements an argument has. One that is no list stands for a list of one.
    pub(super) fn length(&self, argument: Option<&Value>) -> usize {
        match argument {
            Some(Value::List(list)) => list.len(),
            Some(Value::Variable(name)) => self.by_name.get(name.as_str()).map_or(1, |size| size.length.max(1)),
            _ => 1,
        }
    }

    fn of_constant(&mut self, value: &ConstValue) -> Result<Size, Excess> {
        let length = if let ConstValue::List(list) = value { list.len() } else { 0 };
        let size = Size { values: count(value)?, length };
        self.total = self.total.saturating_add(size.values);
        Ok(size)
    }
}

/// It calls itself no deeper than brackets were counted, or than the JSON reader would go.
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

pub(super) fn sum<T>(
    values: impl IntoIterator<Item = T>,
    of: impl Fn(T) -> Result<usize, Excess>,
) -> Result<usize, Excess> {
    values.into_iter().try_fold(0_usize, |sum, value| Ok(sum.saturating_add(of(value)?)))
}
