//! Permissions: the roles that may ask a field.
//!
//! A resolver would refuse its field while others run: of two mutations the first would be committed. So an operation is
//! checked as a whole, on the parsed document with its variables, before anything runs.

mod check;
mod scopes;
#[cfg(test)]
mod tests;

use crate::Caller;
pub(crate) use check::RootField;

/// The permissions of an API. A root field without a rule does not run.
#[derive(Clone, Copy, Debug)]
pub struct Permissions {
    /// All roles.
    pub roles: &'static [&'static str],
    /// Rules of root fields: of queries, mutations and subscriptions together. Introspection needs no role. No other
    /// type may have a field that leads back to a root type, since its fields would not be checked.
    pub root_fields: &'static [Rule],
    /// Rules of names that are sensitive wherever they stand: names of fields, arguments, fields of input objects, and of
    /// types as conditions of fragments. A type that an interface leads to, as `Node` does, wants a rule of its own.
    pub sensitive: &'static [Rule],
}

/// The roles that permit a name. One of them is enough.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The name.
    pub name: &'static str,
    /// The roles.
    pub roles: &'static [&'static str],
}

impl Permissions {
    /// The rule of a root field.
    #[must_use]
    pub fn root_field(&self, name: &str) -> Option<&'static Rule> {
        find(self.root_fields, name)
    }
}

impl Rule {
    /// The rule of a name.
    #[must_use]
    pub const fn new(name: &'static str, roles: &'static [&'static str]) -> Self {
        Self { name, roles }
    }

    /// Whether a role of the caller permits the name.
    #[must_use]
    pub fn permits(&self, caller: &Caller) -> bool {
        self.roles.iter().any(|role| caller.roles.contains(role))
    }
}

fn find(rules: &'static [Rule], name: &str) -> Option<&'static Rule> {
    rules.iter().find(|rule| rule.name == name)
}
