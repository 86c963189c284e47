//! The predecessor's REST API, for clients older than GraphQL. Requests and responses are JSON objects; an error is a
//! JSON string for people.

mod permit;

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_graphql::{ScalarType, Value};
use axum::{
    Json, Router,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use graphql_http::{
    Permissions,
    body::{self, BodyError},
    cross_site::is_cross_site,
    scalars::Decimal,
};
use mime::Mime;
use sea_orm::DbErr;
use serde_json::value::RawValue;
use tokio::time::timeout;
use uuid::Uuid;

use crate::{audit, graphql::refusal, messages::MESSAGES, write_coalescer::WriteError};
pub use permit::{Permitted, permit};

/// Time to read a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Seconds until a client should retry an unavailable service.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");
/// Bytes of a body: about a hundred times a usual request.
const MAX_BODY: usize = 16 * 1024;

/// The fields of a request's object. Numbers keep their digits: floats would not be exact.
#[derive(Debug)]
pub struct Fields {
    values: HashMap<String, Box<RawValue>>,
    permitted: Permitted,
}

/// A refused request: its status and its message.
#[derive(Debug)]
pub struct Refused {
    /// The status.
    pub status: StatusCode,
    /// The message for people.
    pub message: String,
}

impl Fields {
    /// Reads the object, under any content type. A request that a browser would send for another site's page without a
    /// preflight is refused: it would carry the browser's credentials. So is one of a caller who may not ask `mutation`,
    /// for which the endpoint stands.
    ///
    /// # Errors
    /// When it is from another site, not permitted, too large, too slow, or not a JSON object.
    pub async fn read(request: Request, permissions: &Permissions, mutation: &str) -> Result<Self, Refused> {
        let headers = request.headers();
        if is_cross_site(headers, request.uri(), request.extensions()) {
            return Err(Refused { status: StatusCode::FORBIDDEN, message: MESSAGES.text("other-site", &[]) });
        }
        if headers.contains_key(header::ORIGIN) && is_simple(headers) {
            let message = MESSAGES.text("simple-request", &[]);
            return Err(Refused { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, message });
        }
        let permitted = permit(request.extensions(), permissions, mutation)?;
        let (parts, body) = request.into_parts();
        let body = timeout(REQUEST_TIMEOUT, body::read(&parts.headers, body, MAX_BODY)).await;
        let body =
            body.map_err(|_| Refused { status: StatusCode::REQUEST_TIMEOUT, message: MESSAGES.text("too-slow", &[]) })?;
        let body = body.map_err(Refused::from)?;
        let values =
            serde_json::from_slice(&body).map_err(|_| Refused::because(MESSAGES.text("not-an-object", &[])))?;
        Ok(Self { values, permitted })
    }

    /// The name of the caller, as rows keep it.
    #[must_use]
    pub fn user(&self) -> Arc<str> {
        audit::user(&self.permitted.caller)
    }

    /// Tells the audit log that the response shows an object that was there before.
    pub fn shown(&self, id: Uuid) {
        self.permitted.shown(id);
    }

    /// A string, or `None` if the field is absent or null.
    ///
    /// # Errors
    /// When it is another type, or empty.
    pub fn text(&self, argument: &str) -> Result<Option<String>, Refused> {
        let Some(value) = self.values.get(argument).filter(|value| value.get() != "null") else { return Ok(None) };
        match serde_json::from_str::<String>(value.get()) {
            Ok(text) if text.trim().is_empty() => Err(refused("missing", argument)),
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(refused("not-a-text", argument)),
        }
    }

    /// A required UUID.
    ///
    /// # Errors
    /// When it is absent or malformed.
    pub fn uuid(&self, argument: &str) -> Result<Uuid, Refused> {
        let text = self.text(argument)?.ok_or_else(|| refused("missing", argument))?;
        text.trim().parse().map_err(|_| refused("not-a-uuid", argument))
    }

    /// A required decimal, as a number or as a string.
    ///
    /// # Errors
    /// When it is absent or malformed.
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

    /// The refusal of a write that was not made. The text of a fault is only logged.
    #[must_use]
    pub fn not_written(&self, error: &WriteError<DbErr>) -> Refused {
        if let Some(refusal) = refusal(error) {
            return Refused { status: StatusCode::SERVICE_UNAVAILABLE, message: refusal.message };
        }
        let id = &self.permitted.request_id;
        tracing::error!(%error, request_id = id, "a fault was masked");
        Refused { status: StatusCode::INTERNAL_SERVER_ERROR, message: MESSAGES.text("fault", &[("id", id)]) }
    }
}

impl Refused {
    /// The request breaks a rule. Nothing was changed.
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

/// The route `/openapi.json`.
pub fn openapi(document: &'static str) -> Router {
    Router::new().route("/openapi.json", get(async move || ([(header::CONTENT_TYPE, "application/json")], document)))
}

fn refused(message: &str, argument: &str) -> Refused {
    Refused::because(MESSAGES.text(message, &[("argument", &argument)]))
}

/// Whether a browser sends this content type to other sites without a preflight.
fn is_simple(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()?.parse::<Mime>().ok());
    let forms = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"];
    content_type.is_none_or(|content_type| forms.contains(&content_type.essence_str()))
}
