//! The roles of a caller at an endpoint.

use std::fmt::Display;

use axum::http::{Extensions, StatusCode};
use graphql_http::{Caller, Permissions};
use uuid::Uuid;

use super::Refused;
use crate::{audit::Audit, gate::request_id, messages::MESSAGES};

/// The caller of a request that is permitted.
#[derive(Debug)]
pub(super) struct Permitted {
    pub(super) caller: Caller,
    audit: Option<Audit>,
}

impl Permitted {
    /// Records that the caller is shown an object that was there before.
    pub(super) fn shown(&self, request_id: &str, id: Uuid) {
        if let Some(audit) = self.audit {
            audit.shown(&self.caller, request_id, id);
        }
    }
}

/// Refuses a caller that has no role for `mutation`.
pub(super) fn permit(extensions: &Extensions, permissions: &Permissions, mutation: &str) -> Result<Permitted, Refused> {
    let caller = extensions.get::<Caller>().cloned().unwrap_or_default();
    let rule = permissions.root_field(mutation);
    if rule.is_some_and(|rule| rule.permits(&caller)) {
        return Ok(Permitted { caller, audit: extensions.get().copied() });
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
