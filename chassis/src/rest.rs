//! REST as the predecessor had it, for clients that are older than the GraphQL API: an object in, an object
//! out, and an error is a JSON string for people.

use std::{collections::HashMap, time::Duration};

use async_graphql::{ScalarType, Value};
use axum::{
    Json, Router,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use mime::Mime;
use sea_orm::DbErr;
use serde_json::value::RawValue;
use tokio::time::timeout;
use uuid::Uuid;

use graphql_http::{
    body::{self, BodyError},
    cross_site::is_cross_site,
    scalars::Decimal,
};

use crate::{database::is_unavailable, gate::request_id, messages::MESSAGES, write_coalescer::WriteError};

/// Time to read a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Seconds until a client should retry an unavailable service.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");
/// Bytes of a body: some hundred times a request.
const MAX_BODY: usize = 16 * 1024;

/// The fields of a request's object. Numbers keep their digits: as floats some would not be exact.
#[derive(Debug)]
pub struct Fields {
    values: HashMap<String, Box<RawValue>>,
    request_id: String,
}

/// Why a request was not done.
#[derive(Debug)]
pub struct Refused {
    status: StatusCode,
    message: String,
}

impl Fields {
    /// Reads the object, whatever content type the request names. But what a browser would send for a page
    /// of another site without asking first is refused: it would come with credentials that the browser remembers.
    ///
    /// # Errors
    /// When it comes from elsewhere, is too large or too slow, or is no JSON object.
    pub async fn read(request: Request) -> Result<Self, Refused> {
        let headers = request.headers();
        if is_cross_site(headers, request.uri(), request.extensions()) {
            return Err(Refused { status: StatusCode::FORBIDDEN, message: MESSAGES.text("other-site", &[]) });
        }
        if headers.contains_key(header::ORIGIN) && is_simple(headers) {
            let message = MESSAGES.text("simple-request", &[]);
            return Err(Refused { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, message });
        }
        let request_id = request_id::text(request.extensions()).to_owned();
        let (parts, body) = request.into_parts();
        let body = timeout(REQUEST_TIMEOUT, body::read(&parts.headers, body, MAX_BODY)).await;
        let body =
            body.map_err(|_| Refused { status: StatusCode::REQUEST_TIMEOUT, message: MESSAGES.text("too-slow", &[]) })?;
        let body = body.map_err(Refused::from)?;
        let values =
            serde_json::from_slice(&body).map_err(|_| Refused::because(MESSAGES.text("not-an-object", &[])))?;
        Ok(Self { values, request_id })
    }

    /// A text, if there is one.
    ///
    /// # Errors
    /// When it is something else, or empty.
    pub fn text(&self, argument: &str) -> Result<Option<String>, Refused> {
        let Some(value) = self.values.get(argument).filter(|value| value.get() != "null") else { return Ok(None) };
        match serde_json::from_str::<String>(value.get()) {
            Ok(text) if text.trim().is_empty() => Err(refused("missing", argument)),
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(refused("not-a-text", argument)),
        }
    }

    /// A UUID, which must be there.
    ///
    /// # Errors
    /// When it is not there, or something else.
    pub fn uuid(&self, argument: &str) -> Result<Uuid, Refused> {
        let text = self.text(argument)?.ok_or_else(|| refused("missing", argument))?;
        text.trim().parse().map_err(|_| refused("not-a-uuid", argument))
    }

    /// A decimal, as a number or as a text, which must be there.
    ///
    /// # Errors
    /// When it is not there, or something else.
    pub fn decimal(&self, argument: &str) -> Result<rust_decimal::Decimal, Refused> {
        let value = self.values.get(argument).filter(|value| value.get() != "null");
        let value = value.ok_or_else(|| refused("missing", argument))?;
        let digits = if value.get().starts_with('"') {
            self.text(argument)?.unwrap_or_default().trim().to_owned()
        } else {
            value.get().to_owned()
        };
        Decimal::parse(Value::String(digits)).map(|decimal| decimal.0).map_err(|_| refused("not-an-amount", argument))
    }

    /// What is told of a write that was not done: the text of a fault is for the log alone.
    #[must_use]
    pub fn not_written(&self, error: &WriteError<DbErr>) -> Refused {
        let (status, message) = match error {
            WriteError::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, MESSAGES.text("overloaded", &[])),
            WriteError::Stopped => (StatusCode::SERVICE_UNAVAILABLE, MESSAGES.text("shutting-down", &[])),
            WriteError::Locked => (StatusCode::SERVICE_UNAVAILABLE, MESSAGES.text("row-locked", &[])),
            WriteError::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, MESSAGES.text("unavailable", &[])),
            WriteError::Failed(cause) if is_unavailable(cause) => {
                tracing::debug!(error = %cause, "not written: the database is unavailable");
                (StatusCode::SERVICE_UNAVAILABLE, MESSAGES.text("unavailable", &[]))
            }
            WriteError::Failed(fault) => {
                let id = &self.request_id;
                tracing::error!(error = %fault, request_id = id, "a fault was masked");
                (StatusCode::INTERNAL_SERVER_ERROR, MESSAGES.text("fault", &[("id", id)]))
            }
        };
        Refused { status, message }
    }
}

impl Refused {
    /// The request breaks a rule; nothing was changed.
    #[must_use]
    pub fn because(message: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message }
    }
}

impl From<BodyError> for Refused {
    fn from(why: BodyError) -> Self {
        let (status, message) = match why {
            BodyError::Encoded(coding) => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, MESSAGES.text("encoded", &[("coding", &coding)]))
            }
            BodyError::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, MESSAGES.text("too-large", &[("limit", &(MAX_BODY / 1024))]))
            }
            BodyError::Broken(_) => (StatusCode::BAD_REQUEST, MESSAGES.text("not-read", &[])),
        };
        Self { status, message }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.message)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}

/// `/openapi.json`.
pub fn openapi(document: &'static str) -> Router {
    Router::new().route("/openapi.json", get(async move || ([(header::CONTENT_TYPE, "application/json")], document)))
}

fn refused(message: &str, argument: &str) -> Refused {
    Refused::because(MESSAGES.text(message, &[("argument", &argument)]))
}

/// Whether a browser sends such a content type to other sites without asking them first.
fn is_simple(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()?.parse::<Mime>().ok());
    let forms = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"];
    content_type.is_none_or(|content_type| forms.contains(&content_type.essence_str()))
}
