//! From a GraphQL response to an HTTP response: media type, status, codes, and faults masked.

use std::fmt::Display;

use async_graphql::{ServerError, Value};
use async_graphql_axum::GraphQLResponse;
use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use mime::Mime;
use serde::Serialize;

use super::{bad_request::BadRequest, explain, unavailable};

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
        // Refusals are made with a code. Whatever came without one is a fault, its text not for clients.
        for error in response.errors.iter_mut().filter(|error| code(error).is_none()) {
            if unavailable::explain(error) {
                continue;
            }
            if is_bad_argument(error) {
                error.extensions.get_or_insert_default().set("code", "BAD_USER_INPUT");
            } else {
                mask(error, request_id);
            }
        }
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
        let mut error = ServerError::new(cause.to_string(), None);
        mask(&mut error, request_id);
        Self::Executed(async_graphql::Response::from_errors(vec![error]))
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
            Ok(response) => serde_json::to_string(&response),
            Err(errors) => serde_json::to_string(&ErrorsOnly { errors: &errors }),
        };
        json.expect("names and values of GraphQL are JSON")
    }

    pub(super) fn encode(self, media_type: MediaType) -> Response {
        let mut response = match self {
            Self::Executed(response) => executed(response, media_type),
            Self::Invalid(errors) => {
                let status = match media_type {
                    MediaType::GraphqlResponse => StatusCode::BAD_REQUEST,
                    MediaType::Json => StatusCode::OK,
                };
                (status, errors_only(&errors)).into_response()
            }
            Self::BadRequest(BadRequest { well_formed: true, error, .. }) => {
                return Self::Invalid(vec![*error]).encode(media_type);
            }
            Self::BadRequest(BadRequest { status, error, .. }) => (status, errors_only(&[*error])).into_response(),
        };
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        response.headers_mut().insert(header::CONTENT_TYPE, media_type.content_type());
        response
    }
}

impl From<BadRequest> for Outcome {
    fn from(bad_request: BadRequest) -> Self {
        Self::BadRequest(bad_request)
    }
}

/// What was executed, or would have been if the database were there: older clients are told the latter by the header alone.
fn executed(response: async_graphql::Response, media_type: MediaType) -> Response {
    if !unavailable::is_all(&response) {
        return GraphQLResponse::from(response).into_response();
    }
    let mut http = match media_type {
        MediaType::GraphqlResponse => (StatusCode::SERVICE_UNAVAILABLE, errors_only(&response.errors)).into_response(),
        MediaType::Json => GraphQLResponse::from(response).into_response(),
    };
    unavailable::invite_retry(&mut http);
    http
}

/// Without `data`: nothing was executed.
#[derive(Serialize)]
struct ErrorsOnly<'a> {
    errors: &'a [ServerError],
}

fn errors_only(errors: &[ServerError]) -> Json<ErrorsOnly<'_>> {
    Json(ErrorsOnly { errors })
}

fn code(error: &ServerError) -> Option<&Value> {
    error.extensions.as_ref()?.get("code")
}

/// Whether async-graphql itself refused an argument after validation, as its `Int` does beyond 32 bits.
/// It has no code for that, but begins all such messages alike; and what came through `?` has a source.
fn is_bad_argument(error: &ServerError) -> bool {
    let refused = ["Failed to parse \"", "Expected input type \""];
    error.source.is_none() && refused.iter().any(|start| error.message.starts_with(start))
}

/// Logs a fault and replaces its text, which may tell secrets of the database, by an id to ask about.
fn mask(error: &mut ServerError, request_id: &str) {
    tracing::error!(error = error.message, path = ?error.path, request_id, "a fault was masked");
    "Internal server error; the log tells more under the request id".clone_into(&mut error.message);
    error.source = None;
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("code", "INTERNAL_SERVER_ERROR");
    extensions.set("requestId", request_id);
}
