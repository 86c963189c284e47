//! Requests that their sender may not make. Status 403 for any media type: monitoring of statuses should show them.

use async_graphql::Pos;
use axum::http::StatusCode;

use super::BadRequest;
use crate::{Caller, Rule};

const FORBIDDEN: &str = "FORBIDDEN";

impl BadRequest {
    pub(crate) fn cross_site() -> Self {
        let message = "Pages of other sites may not call this API; call it from your server, or from a page of its own \
                       origin";
        Self::with(StatusCode::FORBIDDEN, FORBIDDEN, message)
    }

    /// As Apollo Router answers.
    pub(crate) fn not_trusted() -> Self {
        let advice = "add it to their directory, or send one of them";
        let message = format!("Only trusted documents are executed here, and this is not one of them: {advice}");
        Self::with(StatusCode::FORBIDDEN, "QUERY_NOT_IN_SAFELIST", message)
    }

    /// No role of the caller permits a field, an argument or an input.
    pub(crate) fn not_permitted(rule: &Rule, caller: &Caller, position: Pos) -> Self {
        let own = if caller.roles.is_empty() { "no role".to_owned() } else { caller.roles.join(", ") };
        let message =
            format!("{} needs the role {}; the user {:?} has {own}", rule.name, either(rule.roles), caller.name);
        let mut refused = Self::with(StatusCode::FORBIDDEN, FORBIDDEN, message);
        refused.error.locations.push(position);
        refused
    }
}

/// `a, b or c`.
fn either(roles: &[&str]) -> String {
    match roles.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "of nobody".to_owned(),
    }
}
