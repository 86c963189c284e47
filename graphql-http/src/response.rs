//! From a GraphQL response to an HTTP response: media type, status, codes, and faults masked.

mod faults;
pub(super) mod json;

use std::fmt::Display;

use async_graphql::{ServerError, Value};
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use mime::Mime;
use serde::Serialize;

use super::{bad_request::BadRequest, explain, unavailable};
use faults::code;
use json::{MAX_ANSWER, bounded};

/// As many as graphql-js reports. A document of thousands of mistakes needs no answer of a megabyte.
const MAX_ERRORS: usize = 100;

/// The media types of a response.
#[derive(Clone, Copy, Debug)]
pub(super) enum MediaType {
    /// `application/graphql-response+json`: the status tells whether the operation was executed.
    GraphqlResponse,
    /// `application/json`: for older clients, which take any status but 200 for a broken connection.
    Json,
}

/// What to answer.
#[derive(Debug)]
pub(super) enum Outcome {
    Executed(async_graphql::Response),
    /// Not executed: the document is invalid.
    Invalid(Vec<ServerError>),
    BadRequest(BadRequest),
}

impl MediaType {
    /// The client's favourite, by the quality values of its Accept header; JSON if it does not say.
    pub(super) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let mut favourite: Option<(f32, Self)> = None;
        let mut said = false;
        for accept in headers.get_all(header::ACCEPT) {
            for range in accept.to_str().unwrap_or_default().split(',').filter(|range| !range.trim().is_empty()) {
                said = true;
                let Ok(range) = range.trim().parse::<Mime>() else { continue };
                let quality = range.get_param("q").map_or(Some(1.0), |quality| quality.as_str().parse::<f32>().ok());
                let Some((quality, media_type)) = quality.filter(|quality| *quality > 0.0).zip(Self::in_range(&range))
                else {
                    continue;
                };
                if favourite.is_none_or(|(best, _)| quality > best) {
                    favourite = Some((quality, media_type));
                }
            }
        }
        if said { favourite.map(|(_, media_type)| media_type) } else { Some(Self::Json) }
    }

    fn in_range(range: &Mime) -> Option<Self> {
        match range.essence_str() {
            "application/graphql-response+json" => Some(Self::GraphqlResponse),
            "application/json" | "application/*" | "*/*" => Some(Self::Json),
            _ => None,
        }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }
}

impl Outcome {
    /// Sorts out what was executed, gives every error its code and masks faults.
    pub(super) fn of(mut response: async_graphql::Response, request_id: &str) -> Self {
        response.errors.iter_mut().for_each(explain::entity);
        // An error without a path comes from before the execution.
        if response.data == Value::Null
            && !response.errors.is_empty()
            && response.errors.iter().all(|e| e.path.is_empty())
        {
            return Self::invalid(response.errors);
        }
        faults::sort_out(&mut response.errors, request_id);
        Self::Executed(response)
    }

    fn invalid(mut errors: Vec<ServerError>) -> Self {
        errors.truncate(MAX_ERRORS);
        for error in &mut errors {
            explain::invalid(error);
            if code(error).is_none() {
                error.extensions.get_or_insert_default().set("code", "GRAPHQL_VALIDATION_FAILED");
            }
        }
        Self::Invalid(errors)
    }

    /// The operation panicked.
    pub(super) fn fault(cause: &impl Display, request_id: &str) -> Self {
        let mut errors = vec![ServerError::new(cause.to_string(), None)];
        faults::sort_out(&mut errors, request_id);
        Self::Executed(async_graphql::Response::from_errors(errors))
    }

    /// Whether the document is valid.
    pub(super) fn has_run(&self) -> bool {
        matches!(self, Self::Executed(_))
    }

    /// The errors of an operation that was not executed.
    pub(super) fn into_request_errors(self) -> Result<async_graphql::Response, Vec<ServerError>> {
        match self {
            Self::Executed(response) => Ok(response),
            Self::Invalid(errors) => Err(errors),
            Self::BadRequest(BadRequest { error, .. }) => Err(vec![*error]),
        }
    }

    /// The body alone.
    pub(super) fn into_json(self) -> String {
        let json = match self.into_request_errors() {
            Ok(response) => bounded(&response).or_else(|| bounded(&Self::too_large())),
            Err(errors) => bounded(&ErrorsOnly { errors: &errors })
                .or_else(|| bounded(&ErrorsOnly { errors: &[answer_too_large()] })),
        };
        json.unwrap_or_default()
    }

    pub(super) fn encode(self, media_type: MediaType) -> Response {
        let is_unavailable = matches!(&self, Self::Executed(answer) if unavailable::is_all(answer));
        let status = self.status(media_type);
        let answer = if status == StatusCode::SERVICE_UNAVAILABLE { self.without_data() } else { self };
        let mut response = (status, answer.into_json()).into_response();
        if is_unavailable {
            unavailable::invite_retry(&mut response);
        }
        if status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        response.headers_mut().insert(header::CONTENT_TYPE, media_type.content_type());
        response
    }

    /// The answer to an operation that ran, in the place of one that is too large.
    pub(super) fn too_large() -> async_graphql::Response {
        async_graphql::Response::from_errors(vec![answer_too_large()])
    }

    fn status(&self, media_type: MediaType) -> StatusCode {
        match (self, media_type) {
            (Self::BadRequest(BadRequest { well_formed: false, status, .. }), _) => *status,
            (Self::Invalid(_) | Self::BadRequest(_), MediaType::GraphqlResponse) => StatusCode::BAD_REQUEST,
            // Older clients are told by the header alone.
            (Self::Executed(answer), MediaType::GraphqlResponse) if unavailable::is_all(answer) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::OK,
        }
    }

    /// With `data`, even of nulls, the status would have to be 200.
    fn without_data(self) -> Self {
        match self {
            Self::Executed(answer) => Self::Invalid(answer.errors),
            other => other,
        }
    }
}

impl From<BadRequest> for Outcome {
    fn from(bad_request: BadRequest) -> Self {
        Self::BadRequest(bad_request)
    }
}

/// Without `data`: nothing was executed.
#[derive(Serialize)]
struct ErrorsOnly<'a> {
    errors: &'a [ServerError],
}

/// What an operation did before stands.
pub(super) fn answer_too_large() -> ServerError {
    let limit = MAX_ANSWER / 1024;
    let message = format!("The answer is over {limit} KiB; ask for less at once. What the operation did is done");
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", "ANSWER_TOO_LARGE");
    error
}
