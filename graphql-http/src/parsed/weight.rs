//! Memory of a parsed document: about 200 bytes a field, which takes as little as two in the text.

use std::mem::size_of;

use async_graphql::{
    Name, Positioned,
    parser::types::{
        Directive, ExecutableDocument, FragmentDefinition, OperationDefinition, Selection, VariableDefinition,
    },
};
use async_graphql_value::{ConstValue, Value};

use crate::limits::selections;

/// Bytes that the allocator adds to each allocation.
const ALLOCATION: usize = 16;
/// The factor of free places in tables: in hash tables an eighth to more than half.
const TABLE: usize = 2;

/// The bytes, rounded up where in doubt.
pub(super) fn weight(document: &ExecutableDocument) -> usize {
    let operations = document.operations.iter().map(|(name, operation)| {
        let variables = operation.node.variable_definitions.iter().map(variable);
        let own = TABLE * size_of::<(Name, Positioned<OperationDefinition>)>() + 3 * ALLOCATION;
        own + name.map_or(0, self::name) + variables.sum::<usize>() + directives(&operation.node.directives)
    });
    let fragments = document.fragments.iter().map(|(name, fragment)| {
        let own = TABLE * size_of::<(Name, Positioned<FragmentDefinition>)>() + 3 * ALLOCATION;
        own + 2 * self::name(name) + directives(&fragment.node.directives)
    });
    let selections = selections(document).map(|selection| self::selection(&selection.node));
    size_of::<ExecutableDocument>() + operations.sum::<usize>() + fragments.sum::<usize>() + selections.sum::<usize>()
}

fn selection(selection: &Selection) -> usize {
    let own = match selection {
        Selection::Field(field) => {
            let arguments = field.node.arguments.iter().map(|(name, value)| {
                size_of::<(Positioned<Name>, Positioned<Value>)>() + self::name(&name.node) + self::value(&value.node)
            });
            let alias = field.node.alias.as_ref().map_or(0, |alias| name(&alias.node));
            name(&field.node.name.node) + alias + arguments.sum::<usize>() + 2 * ALLOCATION
        }
        Selection::FragmentSpread(spread) => name(&spread.node.fragment_name.node),
        Selection::InlineFragment(fragment) => {
            fragment.node.type_condition.as_ref().map_or(0, |on| name(&on.node.on.node)) + ALLOCATION
        }
    };
    size_of::<Positioned<Selection>>() + own + directives(selection.directives())
}

fn variable(variable: &Positioned<VariableDefinition>) -> usize {
    // A type is a name, or a list of a type.
    let variable = &variable.node;
    let kind = variable.var_type.to_string().len() * ALLOCATION;
    let default = variable.default_value.as_ref().map_or(0, |default| constant(&default.node));
    size_of::<Positioned<VariableDefinition>>()
        + name(&variable.name.node)
        + kind
        + default
        + directives(&variable.directives)
}

fn directives(directives: &[Positioned<Directive>]) -> usize {
    let each = directives.iter().map(|directive| {
        let arguments = directive.node.arguments.iter().map(|(name, value)| {
            size_of::<(Positioned<Name>, Positioned<Value>)>() + self::name(&name.node) + self::value(&value.node)
        });
        size_of::<Positioned<Directive>>() + name(&directive.node.name.node) + arguments.sum::<usize>() + ALLOCATION
    });
    each.sum()
}

/// Recursion is bounded by the limit of brackets.
fn value(value: &Value) -> usize {
    match value {
        Value::Variable(name) | Value::Enum(name) => self::name(name),
        Value::String(text) => text.len() + ALLOCATION,
        Value::List(list) => {
            list.iter().map(|value| size_of::<Value>() + self::value(value)).sum::<usize>() + ALLOCATION
        }
        Value::Object(object) => {
            let fields = object.iter().map(|(name, value)| {
                TABLE * size_of::<(usize, usize, Name, Value)>() + self::name(name) + self::value(value)
            });
            fields.sum::<usize>() + 2 * ALLOCATION
        }
        Value::Null | Value::Number(_) | Value::Boolean(_) | Value::Binary(_) => 0,
    }
}

fn constant(value: &ConstValue) -> usize {
    self::value(&value.clone().into_value())
}

/// The text and its two reference counts.
fn name(name: &Name) -> usize {
    name.len() + 2 * size_of::<usize>() + ALLOCATION
}
