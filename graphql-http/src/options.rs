//! Options of a schema, which the schema itself and its endpoint both enforce.

use async_graphql::SchemaBuilder;

use crate::{Permissions, errors::Classify};

/// How a schema is served.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether introspection, suggestions in errors and `/schema.graphql` reveal the schema.
    pub introspection: bool,
    /// Complexity of a document: the values that its response may have, lists at their full length. All operations of a
    /// document count.
    pub max_complexity: usize,
    /// Complexity of `totalCount` below a list with an argument `filter`: unlike a page it reads all that match.
    pub filtered_total_cost: usize,
}

/// The rules of an endpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) options: Options,
    pub(crate) classify: Classify,
    pub(crate) permissions: Option<&'static Permissions>,
}

impl Default for Options {
    /// Introspection, and graphql-armor's complexity of 5,000, with room for ten filtered totals.
    fn default() -> Self {
        Self { introspection: true, max_complexity: 5_000, filtered_total_cost: 500 }
    }
}

impl Options {
    /// Applies the options that the schema itself enforces.
    #[must_use]
    pub fn apply<Q, M, S>(&self, builder: SchemaBuilder<Q, M, S>) -> SchemaBuilder<Q, M, S> {
        let builder = builder.limit_complexity(self.max_complexity);
        if self.introspection { builder } else { builder.disable_introspection().disable_suggestions() }
    }
}
