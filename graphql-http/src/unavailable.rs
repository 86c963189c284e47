//! Answers while the database is unavailable: the errors say so, and an answer that says nothing else is 503.
//!
//! Such an error is no fault: the readiness check logs the outage once, and a line for each request would say nothing more.

use std::sync::Arc;

use async_graphql::{Response, ServerError, Value};
use axum::{
    http::{HeaderValue, header},
    response::Response as HttpResponse,
};
use sea_orm::DbErr;

use crate::{database::is_unavailable, messages::MESSAGES};

/// The code of the errors.
pub(crate) const CODE: &str = "UNAVAILABLE";
/// After how many seconds to try again: as often as readiness is checked. Callers that are services have pauses of their own.
const RETRY_AFTER: &str = "1";

/// Says so in an error whose cause this is. Returns whether it is.
pub(super) fn explain(error: &mut ServerError) -> bool {
    let cause = error.source::<DbErr>().or_else(|| error.source::<Arc<DbErr>>().map(AsRef::as_ref));
    let Some(cause) = cause.filter(|cause| is_unavailable(cause)) else { return false };
    tracing::debug!(error = %cause, path = ?error.path, "not answered: the database is unavailable");
    error.message = MESSAGES.text("unavailable", &[]);
    error.source = None;
    error.extensions.get_or_insert_default().set("code", CODE);
    true
}

/// Tells the client when to try again.
pub(crate) fn invite_retry(http: &mut HttpResponse) {
    http.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
}

/// Whether an answer says nothing but this: each error does, and there is no data beside them.
pub(super) fn is_all(answer: &Response) -> bool {
    let is_code = |error: &ServerError| {
        error.extensions.as_ref().and_then(|extensions| extensions.get("code")) == Some(&Value::from(CODE))
    };
    let has_no_data = || match &answer.data {
        Value::Object(fields) => fields.values().all(|field| *field == Value::Null),
        data => *data == Value::Null,
    };
    !answer.errors.is_empty() && answer.errors.iter().all(is_code) && has_no_data()
}
