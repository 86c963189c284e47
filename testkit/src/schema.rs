//! The names in a schema, for tests that each has what it needs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::GraphqlClient;

const INTROSPECT: &str = "{ __schema { types { name
    fields(includeDeprecated: true) { name type { name ofType { name ofType { name ofType { name } } } } }
    inputFields { name } } } }";
const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];

/// Names of fields and types.
#[derive(Debug)]
pub struct SchemaNames {
    /// Root fields, but the one of which each subgraph is asked its schema.
    pub root_fields: BTreeSet<String>,
    /// Fields of other types, and of input objects; the types themselves.
    pub others: BTreeSet<String>,
    /// Fields of other types that lead back to a root type.
    pub back: BTreeSet<String>,
}

impl SchemaNames {
    /// Reads the schema of a service.
    pub async fn of(client: &GraphqlClient) -> Self {
        let schema = client.call(INTROSPECT, json!({})).await["__schema"].take();
        let mut names = Self { root_fields: BTreeSet::new(), others: BTreeSet::new(), back: BTreeSet::new() };
        for of_type in elements(&schema["types"]) {
            let is_root = ROOTS.iter().any(|root| of_type["name"] == *root);
            names.others.extend(of_type["name"].as_str().map(str::to_owned));
            for field in elements(&of_type["fields"]).chain(elements(&of_type["inputFields"])) {
                let name = field["name"].as_str().expect("a name").to_owned();
                if is_root {
                    names.root_fields.insert(name);
                } else if ROOTS.iter().any(|root| field["type"].to_string().contains(&format!("\"{root}\""))) {
                    names.back.insert(name);
                } else {
                    names.others.insert(name);
                }
            }
        }
        names.root_fields.remove("_service");
        names
    }
}

fn elements(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}
