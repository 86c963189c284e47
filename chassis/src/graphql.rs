//! GraphQL errors of the database and the write coalescer.

use std::sync::Arc;

use async_graphql::{Error, ServerError};
use graphql_http::refusal::{Refusal, UNAVAILABLE};
use sea_orm::DbErr;

use crate::{
    database::{is_overload, is_unavailable},
    messages::MESSAGES,
    write_coalescer::WriteError,
};

const OVERLOADED: &str = "OVERLOADED";

/// Recognises an error of a resolver that clients can do something about.
pub(crate) fn classify(error: &ServerError) -> Option<Refusal> {
    // Data loaders share one error between their callers.
    let cause = error.source::<DbErr>().or_else(|| error.source::<Arc<DbErr>>().map(AsRef::as_ref));
    cause.and_then(of_database)
}

/// The error of a mutation that was not written.
#[must_use]
pub fn not_written(error: WriteError<DbErr>) -> Error {
    match (refusal(&error), error) {
        (Some(refusal), _) => refusal.into(),
        (None, WriteError::Failed(fault)) => Error::new_with_source(fault),
        (None, other) => Error::new(other.to_string()),
    }
}

/// The refusal of a write that clients can do something about. Others are faults.
pub(crate) fn refusal(error: &WriteError<DbErr>) -> Option<Refusal> {
    let (message, code) = match error {
        WriteError::Overloaded => ("overloaded", OVERLOADED),
        WriteError::Stopped => ("shutting-down", "SHUTTING_DOWN"),
        WriteError::Locked => ("row-locked", UNAVAILABLE),
        WriteError::TimedOut => ("unavailable", UNAVAILABLE),
        WriteError::Failed(cause) => return of_database(cause),
    };
    Some(Refusal { message: MESSAGES.text(message, &[]), code })
}

/// Too many queued reads, or an outage. The readiness check logs an outage once; a line a request would add nothing.
fn of_database(cause: &DbErr) -> Option<Refusal> {
    let (message, code) = match cause {
        cause if is_overload(cause) => ("overloaded", OVERLOADED),
        cause if is_unavailable(cause) => ("unavailable", UNAVAILABLE),
        _ => return None,
    };
    tracing::debug!(error = %cause, code, "not answered");
    Some(Refusal { message: MESSAGES.text(message, &[]), code })
}
