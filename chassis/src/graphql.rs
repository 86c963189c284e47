//! GraphQL errors of the database and the write coalescer.

use std::sync::Arc;

use async_graphql::{Error, ServerError};
use graphql_http::{TaskContext, refusal::Refusal};
use sea_orm::DbErr;

use crate::{
    database::{is_overload, is_unavailable},
    language::Language,
    messages::MESSAGES,
    write_coalescer::WriteError,
};

const OVERLOADED: &str = "OVERLOADED";
/// A response with no other errors has status 503.
const UNAVAILABLE: &str = "UNAVAILABLE";

/// Recognises an error of the database that clients can do something about: too many queued reads, or an outage. The
/// readiness check logs an outage once; a line for each request would add nothing.
pub(crate) fn classify(error: &ServerError) -> Option<Refusal> {
    // Loaders share their errors.
    let cause = error.source::<DbErr>().or_else(|| error.source::<Arc<DbErr>>().map(AsRef::as_ref))?;
    if is_overload(cause) {
        return Some(Refusal { message: MESSAGES.text("overloaded", &[]), code: OVERLOADED });
    }
    is_unavailable(cause).then(|| {
        tracing::debug!(error = %cause, path = ?error.path, "the database is unavailable");
        Refusal { message: MESSAGES.text("unavailable", &[]), code: UNAVAILABLE }
    })
}

/// The error of a mutation that was not written. A cause that is not told to clients is a fault.
#[must_use]
pub fn not_written(error: WriteError<DbErr>) -> Error {
    let (message, code) = match error {
        WriteError::Overloaded => ("overloaded", OVERLOADED),
        WriteError::Stopped => ("shutting-down", "SHUTTING_DOWN"),
        WriteError::Locked => ("row-locked", UNAVAILABLE),
        WriteError::TimedOut => ("unavailable", UNAVAILABLE),
        // `classify` recognises its source.
        WriteError::Failed(error) => return Error::new_with_source(error),
    };
    Refusal { message: MESSAGES.text(message, &[]), code }.into()
}

impl TaskContext for Language {
    fn capture() -> Self {
        Self::current()
    }

    fn scope<F: Future + Send>(self, future: F) -> impl Future<Output = F::Output> + Send {
        Self::scope(self, future)
    }
}
