//! GraphQL errors of the database and the write coalescer, and names of operations in logs and metrics.

use std::sync::Arc;

use async_graphql::{Error, ServerError, parser::types::OperationType};
use graphql_http::{
    meter::Conclusion,
    refusal::{Refusal, UNAVAILABLE},
};
use sea_orm::DbErr;

use crate::{
    database::{is_overload, is_unavailable},
    messages::MESSAGES,
    write_coalescer::WriteError,
};

pub(crate) const OVERLOADED: &str = "OVERLOADED";

/// The name of a kind of operation.
pub(crate) fn kind_name(kind: OperationType) -> &'static str {
    match kind {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}

/// The name of a conclusion.
pub(crate) fn outcome_name(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Ok => "ok",
        Conclusion::Refused => "refused",
        Conclusion::Invalid => "invalid",
        Conclusion::Forbidden => "forbidden",
        Conclusion::Overloaded => "overloaded",
        Conclusion::Unavailable => "unavailable",
        Conclusion::TimedOut => "timeout",
        Conclusion::Fault => "fault",
    }
}

/// Recognises an error of a resolver that clients can do something about.
pub(crate) fn classify(error: &ServerError) -> Option<Refusal> {
    cause(error).and_then(of_database)
}

/// The database's error behind an error of a resolver.
pub(crate) fn cause(error: &ServerError) -> Option<&DbErr> {
    // Data loaders share one error between their callers.
    error.source::<DbErr>().or_else(|| error.source::<Arc<DbErr>>().map(AsRef::as_ref))
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
