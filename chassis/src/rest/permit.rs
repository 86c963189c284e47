//! The roles of a caller at an endpoint outside of GraphQL.

use std::fmt::Display;

use async_graphql::parser::types::OperationType;
use axum::http::{Extensions, StatusCode};
use graphql_http::{
    Caller, Permissions, Rule,
    observer::{Ending, Observer, Operation},
};
use uuid::Uuid;

use super::Refused;
use crate::{
    audit::{Audit, Outcome},
    gate::request_id,
    messages::MESSAGES,
};

/// The caller of a request that is permitted.
#[derive(Debug)]
pub struct Permitted {
    /// The caller.
    pub caller: Caller,
    pub(super) request_id: String,
    rule: &'static Rule,
    audit: Option<Audit>,
}

impl Permitted {
    /// Records that the caller is shown an object that was there before.
    pub(super) fn shown(&self, id: Uuid) {
        if let Some(audit) = self.audit {
            audit.shown(&self.caller, &self.request_id, id);
        }
    }

    /// Records what a page has read or changed, as the operation on the permitted field. `sensitive` names what it has
    /// shown that has a rule of its own.
    pub fn record(&self, kind: OperationType, sensitive: &[&'static str], ids: &[Uuid], outcome: Outcome) {
        if let Some(audit) = self.audit {
            let (caller, request_id, root_fields) = (&self.caller, self.request_id.as_str(), &[self.rule.name][..]);
            let ending = if outcome == Outcome::Permitted { Ending::Done } else { Ending::Failed };
            let count = ids.len();
            audit.observe(&Operation { caller, request_id, kind, root_fields, sensitive, ids, count, ending });
        }
    }
}

/// Refuses a caller that has no role for the root field `field`, for which the endpoint stands.
///
/// # Errors
/// The refusal, which the audit log has too.
pub fn permit(extensions: &Extensions, permissions: &Permissions, field: &str) -> Result<Permitted, Refused> {
    let caller = extensions.get::<Caller>().cloned().unwrap_or_default();
    let rule = permissions.root_field(field);
    let request_id = request_id::text(extensions);
    if let Some(rule) = rule.filter(|rule| rule.permits(&caller)) {
        return Ok(Permitted { caller, request_id: request_id.to_owned(), rule, audit: extensions.get().copied() });
    }
    if let Some((audit, rule)) = extensions.get::<Audit>().zip(rule) {
        audit.refused(&caller, request_id, rule);
    }
    let roles = rule.map_or_else(|| "-".to_owned(), |rule| rule.roles.join(", "));
    let id = if caller.roles.is_empty() { "no-role" } else { "another-role" };
    let own = caller.roles.join(", ");
    let names: [(&str, &dyn Display); 4] =
        [("field", &field), ("roles", &roles), ("user", &caller.name), ("own", &own)];
    Err(Refused { status: StatusCode::FORBIDDEN, message: MESSAGES.text(id, &names) })
}
