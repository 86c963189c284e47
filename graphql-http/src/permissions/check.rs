//! The check of an operation: each field, argument, input and type condition of it, fragments expanded and variables put
//! in. A field under `@skip` or `@include` counts.

use async_graphql::{
    Name, Pos, Positioned, Variables,
    parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet},
};
use async_graphql_value::{ConstValue, Value};

use super::{Permissions, Rule, find};
use crate::{Caller, admission::INTROSPECTION, bad_request::BadRequest, observer::Names};

impl Permissions {
    /// Refuses an operation that the caller may not ask. Returns whether each root field has a rule. Collects those that
    /// have into `names`, if given, and into `root`.
    ///
    /// The document is within the limits: it has no cycle of fragments, and its depth bounds the recursion.
    pub(crate) fn check(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        variables: &Variables,
        caller: &Caller,
        names: Option<&mut Names>,
        root: &mut RootField,
    ) -> Result<bool, BadRequest> {
        let (fragments, has_rules) = (Vec::new(), true);
        let mut check =
            Check { permissions: self, document, operation, variables, caller, names, root, fragments, has_rules };
        check.selections(&operation.selection_set.node, true)?;
        Ok(check.has_rules)
    }
}

/// The root field of an operation, for measurements.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RootField(Option<&'static str>);

impl RootField {
    pub(crate) fn name(self) -> &'static str {
        self.0.unwrap_or("introspection")
    }

    fn add(&mut self, rule: &'static Rule) {
        let is_same = self.0.is_none_or(|name| name == rule.name);
        self.0 = Some(if is_same { rule.name } else { "several" });
    }
}

struct Check<'a> {
    permissions: &'a Permissions,
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    caller: &'a Caller,
    names: Option<&'a mut Names>,
    root: &'a mut RootField,
    /// The fragments that were checked, at the root or below it.
    fragments: Vec<(&'a str, bool)>,
    has_rules: bool,
}

impl<'a> Check<'a> {
    fn selections(&mut self, set: &'a SelectionSet, at_root: bool) -> Result<(), BadRequest> {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => self.field(field, at_root)?,
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    condition.map_or(Ok(()), |condition| self.name(&condition.node.on.node, condition.pos))?;
                    self.selections(&fragment.node.selection_set.node, at_root)?;
                }
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, at_root)?,
            }
        }
        Ok(())
    }

    fn fragment(&mut self, name: &'a str, at_root: bool) -> Result<(), BadRequest> {
        if self.fragments.contains(&(name, at_root)) {
            return Ok(());
        }
        self.fragments.push((name, at_root));
        // Validation reports a missing fragment.
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(()) };
        let condition = &fragment.node.type_condition;
        self.name(&condition.node.on.node, condition.pos)?;
        self.selections(&fragment.node.selection_set.node, at_root)
    }

    fn field(&mut self, field: &'a Positioned<Field>, at_root: bool) -> Result<(), BadRequest> {
        let Field { name, arguments, selection_set, .. } = &field.node;
        if at_root {
            match self.permissions.root_field(&name.node) {
                Some(rule) => {
                    self.root.add(rule);
                    self.collect(rule, |names| &mut names.root_fields);
                    self.require(rule, name.pos)?;
                }
                None => self.has_rules &= name.node == "__typename" || INTROSPECTION.contains(&name.node.as_str()),
            }
        }
        self.name(&name.node, name.pos)?;
        for (argument, value) in arguments {
            self.name(&argument.node, argument.pos)?;
            self.value(&value.node, value.pos)?;
        }
        self.selections(&selection_set.node, false)
    }

    fn value(&mut self, value: &Value, position: Pos) -> Result<(), BadRequest> {
        match value {
            Value::List(list) => list.iter().try_for_each(|value| self.value(value, position)),
            Value::Object(object) => object.iter().try_for_each(|(name, value)| {
                self.name(name, position)?;
                self.value(value, position)
            }),
            Value::Variable(name) => self.variable(name).map_or(Ok(()), |value| self.constant(value, position)),
            _ => Ok(()),
        }
    }

    fn constant(&mut self, value: &ConstValue, position: Pos) -> Result<(), BadRequest> {
        match value {
            ConstValue::List(list) => list.iter().try_for_each(|value| self.constant(value, position)),
            ConstValue::Object(object) => object.iter().try_for_each(|(name, value)| {
                self.name(name, position)?;
                self.constant(value, position)
            }),
            _ => Ok(()),
        }
    }

    /// The value of a variable, as given or by default.
    fn variable(&self, name: &Name) -> Option<&'a ConstValue> {
        let (given, definitions) = (self.variables.get(name), &self.operation.variable_definitions);
        given.or_else(|| {
            let variable = definitions.iter().find(|variable| variable.node.name.node == *name)?;
            variable.node.default_value.as_ref().map(|value| &value.node)
        })
    }

    fn name(&mut self, name: &str, position: Pos) -> Result<(), BadRequest> {
        let Some(rule) = find(self.permissions.sensitive, name) else { return Ok(()) };
        self.collect(rule, |names| &mut names.sensitive);
        self.require(rule, position)
    }

    fn collect(&mut self, rule: &'static Rule, list: fn(&mut Names) -> &mut Vec<&'static str>) {
        let list = self.names.as_deref_mut().map(list);
        if let Some(list) = list.filter(|list| !list.contains(&rule.name)) {
            list.push(rule.name);
        }
    }

    fn require(&mut self, rule: &'static Rule, position: Pos) -> Result<(), BadRequest> {
        if rule.permits(self.caller) {
            return Ok(());
        }
        if let Some(names) = self.names.as_deref_mut() {
            names.refused = Some(rule);
        }
        Err(BadRequest::not_permitted(rule, self.caller, position))
    }
}
