//! Encodes results as HTTP responses: status and body.

use std::{fmt::Display, slice};

use async_graphql::{ServerError, Value};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    bad_request::BadRequest,
    errors, explain,
    json::{MAX_RESPONSE, bounded},
    media_type::MediaType,
    options::Rules,
};

/// Errors of one response, as graphql-js limits them. A document of thousands of mistakes needs no response of a
/// megabyte.
const MAX_ERRORS: usize = 100;
/// Seconds until a client should retry an unavailable service. Calling services have a backoff of their own.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// The result of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    Executed(async_graphql::Response),
    /// Not executed: the document is invalid.
    Invalid(Vec<ServerError>),
    BadRequest(BadRequest),
}

impl Outcome {
    /// The outcome of an execution: every error gets its code, and faults are masked.
    pub(crate) fn of(mut response: async_graphql::Response, rules: &Rules, request_id: &str) -> Self {
        response.errors.iter_mut().for_each(explain::entity);
        // An error without a path was found before the execution.
        if response.data == Value::Null
            && !response.errors.is_empty()
            && response.errors.iter().all(|error| error.path.is_empty())
        {
            return Self::invalid(response.errors, rules);
        }
        errors::classify(&mut response.errors, rules.classify, request_id);
        Self::Executed(response)
    }

    fn invalid(mut errors: Vec<ServerError>, rules: &Rules) -> Self {
        errors.truncate(MAX_ERRORS);
        for error in &mut errors {
            explain::validation(error, &rules.options);
            if errors::code(error).is_none() {
                errors::set_code(error, "GRAPHQL_VALIDATION_FAILED");
            }
        }
        Self::Invalid(errors)
    }

    /// The outcome of an execution that panicked.
    pub(crate) fn fault(cause: &impl Display, rules: &Rules, request_id: &str) -> Self {
        let mut errors = vec![ServerError::new(cause.to_string(), None)];
        errors::classify(&mut errors, rules.classify, request_id);
        Self::Executed(async_graphql::Response::from_errors(errors))
    }

    /// The errors.
    pub(crate) fn errors(&self) -> &[ServerError] {
        match self {
            Self::Executed(response) => &response.errors,
            Self::Invalid(errors) => errors,
            Self::BadRequest(BadRequest { error, .. }) => slice::from_ref(error),
        }
    }

    /// Whether the document is valid.
    pub(crate) fn has_run(&self) -> bool {
        matches!(self, Self::Executed(_))
    }

    /// The response, or the errors of an operation that was not executed.
    pub(crate) fn into_result(self) -> Result<async_graphql::Response, Vec<ServerError>> {
        match self {
            Self::Executed(response) => Ok(response),
            Self::Invalid(errors) => Err(errors),
            Self::BadRequest(BadRequest { error, .. }) => Err(vec![*error]),
        }
    }

    /// The body.
    pub(crate) fn into_json(self) -> String {
        let json = match self.into_result() {
            Ok(response) => bounded(&response).or_else(|| bounded(&too_large_response())),
            Err(errors) => {
                bounded(&ErrorsOnly { errors: &errors }).or_else(|| bounded(&ErrorsOnly { errors: &[too_large()] }))
            }
        };
        json.unwrap_or_default()
    }

    pub(crate) fn encode(self, media_type: MediaType) -> Response {
        let is_retryable = matches!(&self, Self::Executed(response) if errors::is_retryable(response));
        let status = self.status(media_type, is_retryable);
        let outcome = if status == StatusCode::SERVICE_UNAVAILABLE { self.without_data() } else { self };
        let mut response = (status, outcome.into_json()).into_response();
        let headers = response.headers_mut();
        if is_retryable {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        headers.insert(header::CONTENT_TYPE, media_type.content_type());
        response
    }

    fn status(&self, media_type: MediaType, is_retryable: bool) -> StatusCode {
        match (self, media_type) {
            (Self::BadRequest(BadRequest { well_formed: false, status, .. }), _) => *status,
            (Self::Invalid(_) | Self::BadRequest(_), MediaType::GraphqlResponse) => StatusCode::BAD_REQUEST,
            // Older clients see the header alone.
            (Self::Executed(_), MediaType::GraphqlResponse) if is_retryable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::OK,
        }
    }

    /// Drops `data`: with it, even of nulls, the status would have to be 200.
    fn without_data(self) -> Self {
        match self {
            Self::Executed(response) => Self::Invalid(response.errors),
            other => other,
        }
    }
}

impl From<BadRequest> for Outcome {
    fn from(bad_request: BadRequest) -> Self {
        Self::BadRequest(bad_request)
    }
}

/// A response without `data`: nothing was executed.
#[derive(Serialize)]
struct ErrorsOnly<'a> {
    errors: &'a [ServerError],
}

/// Replaces a response over [`MAX_RESPONSE`]. The effects of the operation stand.
pub(crate) fn too_large_response() -> async_graphql::Response {
    async_graphql::Response::from_errors(vec![too_large()])
}

pub(crate) fn too_large() -> ServerError {
    let limit = MAX_RESPONSE / 1024;
    let message = format!("The response is over {limit} KiB; ask for less at once. What the operation did is done");
    let mut error = ServerError::new(message, None);
    errors::set_code(&mut error, "ANSWER_TOO_LARGE");
    error
}
