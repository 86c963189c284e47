//! Errors of an executed operation: each gets a code, and faults are masked. A fault's text may hold secrets of the
//! database. Clients get the request id to ask about, and the log one line a request.

use async_graphql::{PathSegment, Response, ServerError, Value};

use crate::{
    explain,
    refusal::{RETRYABLE, Refusal},
};

/// Recognises errors that a client can do something about by their source. Others without a code are faults.
pub(crate) type Classify = fn(&ServerError) -> Option<Refusal>;

/// Gives each error its code.
pub(crate) fn classify(errors: &mut [ServerError], classify: Classify, request_id: &str) {
    let mut faults = Faults { request_id, first: None, count: 0 };
    // Refusals have a code.
    for error in errors.iter_mut().filter(|error| code(error).is_none()) {
        if is_invalid_argument(error) {
            set_code(error, "BAD_USER_INPUT");
        } else if let Some(Refusal { message, code }) = classify(error) {
            (error.message, error.source) = (message, None);
            set_code(error, code);
        } else {
            faults.mask(error);
        }
    }
    faults.log();
}

pub(crate) fn code(error: &ServerError) -> Option<&Value> {
    error.extensions.as_ref()?.get("code")
}

pub(crate) fn set_code(error: &mut ServerError, code: &str) {
    error.extensions.get_or_insert_default().set("code", code);
}

/// Whether all errors of a response are [`RETRYABLE`], without data beside them.
pub(crate) fn is_retryable(response: &Response) -> bool {
    let has_no_data = || match &response.data {
        Value::Object(fields) => fields.values().all(|field| *field == Value::Null),
        data => *data == Value::Null,
    };
    let is_retryable =
        |error: &ServerError| matches!(code(error), Some(Value::String(code)) if RETRYABLE.contains(&code.as_str()));
    !response.errors.is_empty() && response.errors.iter().all(is_retryable) && has_no_data()
}

/// Whether async-graphql itself refused an argument after validation, as its `Int` does beyond 32 bits. Such errors
/// have no code, but fixed beginnings and no source.
fn is_invalid_argument(error: &ServerError) -> bool {
    error.source.is_none() && explain::INVALID_ARGUMENT.iter().any(|start| error.message.starts_with(start))
}

/// The faults of one request.
struct Faults<'a> {
    request_id: &'a str,
    first: Option<(String, Vec<PathSegment>)>,
    count: usize,
}

impl Faults<'_> {
    /// Replaces the text by the request id.
    fn mask(&mut self, error: &mut ServerError) {
        let masked = "Internal server error; the log tells more under the request id".to_owned();
        let text = std::mem::replace(&mut error.message, masked);
        self.first.get_or_insert_with(|| (text, error.path.clone()));
        self.count += 1;
        error.source = None;
        set_code(error, "INTERNAL_SERVER_ERROR");
        error.extensions.get_or_insert_default().set("requestId", self.request_id);
    }

    /// Logs one line: the fields of a request mostly fail for the same reason.
    fn log(self) {
        let Self { request_id, first, count } = self;
        if let Some((error, path)) = first {
            tracing::error!(error, ?path, faults = count, request_id, "a fault was masked");
        }
    }
}
