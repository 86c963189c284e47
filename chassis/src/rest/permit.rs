//! The roles of a caller at an endpoint.

use std::fmt::Display;

use axum::http::{Extensions, StatusCode};
use graphql_http::{Caller, Permissions};

use super::Refused;
use crate::{audit::Audit, gate::request_id, messages::MESSAGES};

/// Returns the caller, or refuses one that has no role for `mutation`.
pub(super) fn permit(extensions: &Extensions, permissions: &Permissions, mutation: &str) -> Result<Caller, Refused> {
    let caller = extensions.get::<Caller>().cloned().unwrap_or_default();
    let rule = permissions.root_field(mutation);
    if rule.is_some_and(|rule| rule.permits(&caller)) {
        return Ok(caller);
    }
    if let Some((audit, rule)) = extensions.get::<Audit>().zip(rule) {
        audit.refused(&caller, request_id::text(extensions), rule);
    }
    let roles = rule.map_or_else(|| "-".to_owned(), |rule| rule.roles.join(", "));
    let id = if caller.roles.is_empty() { "no-role" } else { "another-role" };
    let own = caller.roles.join(", ");
    let names: [(&str, &dyn Display); 4] =
        [("field", &mutation), ("roles", &roles), ("user", &caller.name), ("own", &own)];
    Err(Refused { status: StatusCode::FORBIDDEN, message: MESSAGES.text(id, &names) })
}
