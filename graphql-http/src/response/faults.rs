//! Errors of an operation that ran: each gets its code, and faults are masked. Their texts may tell secrets of the
//! database, so that clients get an id to ask about, and the log one line a request.

use std::sync::Arc;

use async_graphql::{PathSegment, ServerError, Value};
use sea_orm::DbErr;

use crate::{database::is_overload, graphql::unavailable, messages::MESSAGES};

/// Gives each error its code.
pub(super) fn sort_out(errors: &mut [ServerError], request_id: &str) {
    let mut faults = Faults { request_id, first: None, count: 0 };
    // Refusals are made with a code. Whatever came without one is a fault.
    for error in errors.iter_mut().filter(|error| code(error).is_none()) {
        if is_bad_argument(error) {
            error.extensions.get_or_insert_default().set("code", "BAD_USER_INPUT");
        } else if is_refused_by_database(error) {
            error.message = MESSAGES.text("overloaded", &[]);
            error.source = None;
            error.extensions.get_or_insert_default().set("code", "OVERLOADED");
        } else if !unavailable::explain(error) {
            faults.mask(error);
        }
    }
    faults.log();
}

pub(super) fn code(error: &ServerError) -> Option<&Value> {
    error.extensions.as_ref()?.get("code")
}

/// Whether async-graphql itself refused an argument after validation, as its `Int` does beyond 32 bits.
/// It has no code for that, but begins all such messages alike; and what came through `?` has a source.
fn is_bad_argument(error: &ServerError) -> bool {
    let refused = ["Failed to parse \"", "Expected input type \""];
    error.source.is_none() && refused.iter().any(|start| error.message.starts_with(start))
}

/// Whether too many reads wait. Loaders share their errors.
fn is_refused_by_database(error: &ServerError) -> bool {
    let shared = || error.source::<Arc<DbErr>>().map(AsRef::as_ref);
    error.source::<DbErr>().or_else(shared).is_some_and(is_overload)
}

/// The faults of one request.
struct Faults<'a> {
    request_id: &'a str,
    first: Option<(String, Vec<PathSegment>)>,
    count: usize,
}

impl Faults<'_> {
    /// Replaces the text by an id to ask about.
    fn mask(&mut self, error: &mut ServerError) {
        let masked = "Internal server error; the log tells more under the request id".to_owned();
        let text = std::mem::replace(&mut error.message, masked);
        self.first.get_or_insert_with(|| (text, error.path.clone()));
        self.count += 1;
        error.source = None;
        let extensions = error.extensions.get_or_insert_default();
        extensions.set("code", "INTERNAL_SERVER_ERROR");
        extensions.set("requestId", self.request_id);
    }

    /// One line: the fields of a request mostly fail for the same reason.
    fn log(self) {
        let Self { request_id, first, count } = self;
        if let Some((error, path)) = first {
            tracing::error!(error, ?path, faults = count, request_id, "a fault was masked");
        }
    }
}
