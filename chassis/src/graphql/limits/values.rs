//! How much the arguments hold. A variable counts wherever it is used: validation looks at it each time.

use std::collections::HashMap;

use async_graphql::{
    Positioned, Variables,
    parser::types::{Directive, ExecutableDocument, Selection},
};
use async_graphql_value::Value;

use super::{Excess, MAX_LIST, MAX_VALUES, selections};

pub(super) fn check(document: &ExecutableDocument, variables: &Variables) -> Result<(), Excess> {
    let mut count = Count { variables: HashMap::new() };
    let mut total = 0_usize;
    for (name, value) in variables.iter() {
        let values = count.of(&value.clone().into_value())?;
        count.variables.insert(name, values);
        total += values;
    }
    for (_, operation) in document.operations.iter() {
        total += count.of_directives(&operation.node.directives)?;
        for variable in &operation.node.variable_definitions {
            total += count.of_directives(&variable.node.directives)?;
            if let Some(default) = &variable.node.default_value {
                let values = count.of(&default.node.clone().into_value())?;
                total += values;
                count.variables.entry(&variable.node.name.node).or_insert(values);
            }
        }
    }
    for fragment in document.fragments.values() {
        total += count.of_directives(&fragment.node.directives)?;
    }
    for selection in selections(document) {
        total = total.saturating_add(count.of_directives(selection.node.directives())?);
        if let Selection::Field(field) = &selection.node {
            total = total.saturating_add(count.of_all(field.node.arguments.iter().map(|(_, value)| &value.node))?);
        }
    }
    if total > MAX_VALUES { Err(Excess::Values(total)) } else { Ok(()) }
}

struct Count<'a> {
    /// How many values each variable has.
    variables: HashMap<&'a str, usize>,
}

impl Count<'_> {
    /// It calls itself no deeper than brackets were counted, or than the JSON reader would go.
    fn of(&self, value: &Value) -> Result<usize, Excess> {
        let within = match value {
            Value::Variable(name) => self.variables.get(name.as_str()).copied().unwrap_or_default(),
            Value::List(list) if list.len() > MAX_LIST => return Err(Excess::List(list.len())),
            Value::List(list) => self.of_all(list)?,
            Value::Object(object) => self.of_all(object.values())?,
            _ => 0,
        };
        Ok(within.saturating_add(1))
    }

    fn of_all<'a>(&self, values: impl IntoIterator<Item = &'a Value>) -> Result<usize, Excess> {
        values.into_iter().try_fold(0_usize, |sum, value| Ok(sum.saturating_add(self.of(value)?)))
    }

    fn of_directives(&self, directives: &[Positioned<Directive>]) -> Result<usize, Excess> {
        self.of_all(directives.iter().flat_map(|directive| &directive.node.arguments).map(|(_, value)| &value.node))
    }
}
