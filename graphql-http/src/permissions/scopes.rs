//! The schema with `@requiresScopes`, for gateways that check the roles in a token themselves.

use async_graphql::parser::{
    Error, parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};

use super::{Permissions, Rule, find};

const ROOT_TYPES: [&str; 3] = ["Query", "Mutation", "Subscription"];

impl Permissions {
    /// Adds Apollo Federation's `@requiresScopes` to each field that has a rule. One of its roles is enough. The directive
    /// is for fields: a gateway does not check the rules of arguments.
    ///
    /// # Errors
    /// When `sdl` is no schema.
    pub fn require_scopes(&self, sdl: &str) -> Result<String, Error> {
        let mut lines: Vec<_> = sdl.lines().map(str::to_owned).collect();
        for definition in parse_schema(sdl)?.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let is_root = ROOT_TYPES.contains(&definition.node.name.node.as_str());
            let TypeKind::Object(object) = definition.node.kind else { continue };
            for field in object.fields {
                let rules = if is_root { self.root_fields } else { self.sensitive };
                let Some(rule) = find(rules, &field.node.name.node) else { continue };
                // Nothing but directives follows a type in its line.
                lines[field.node.ty.pos.line - 1] += &directive(rule);
            }
        }
        Ok(lines.join("\n") + "\n")
    }
}

/// In the outer list one is enough, in an inner one all are wanted.
fn directive(rule: &Rule) -> String {
    let roles: Vec<_> = rule.roles.iter().map(|role| format!("[\"{role}\"]")).collect();
    format!(" @requiresScopes(scopes: [{}])", roles.join(", "))
}
