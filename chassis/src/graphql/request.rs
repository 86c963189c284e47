//! From an HTTP request to a GraphQL request, or to a refusal that says what to change.

use async_graphql::{Request, ServerError, Variables};
use axum::{
    body::to_bytes,
    extract::{FromRequestParts, Query},
    http::{HeaderMap, Method, StatusCode, header},
};
use mime::Mime;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Far above any hand-written operation with its variables, and for lists of a hundred inputs.
const MAX_BODY: usize = 256 * 1024;

/// The request was not executed.
#[derive(Debug)]
pub(super) struct BadRequest {
    pub(super) status: StatusCode,
    /// Whether the request was well-formed HTTP with a GraphQL document: then `application/json` clients
    /// get status 200, as the GraphQL-over-HTTP specification asks for.
    pub(super) well_formed: bool,
    pub(super) error: Box<ServerError>,
}

/// The parameters of GraphQL over HTTP. `null` is the same as absent.
#[derive(Debug, Deserialize)]
struct Parameters {
    query: String,
    #[serde(rename = "operationName")]
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
    extensions: Option<Map<String, Value>>,
}

/// The same in a query string, where objects are JSON texts.
#[derive(Debug, Deserialize)]
struct UrlParameters {
    query: Option<String>,
    #[serde(rename = "operationName")]
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

pub(super) async fn read(http: axum::extract::Request) -> Result<Request, BadRequest> {
    // HEAD asks like GET.
    let parameters = if http.method() == Method::POST { from_body(http).await? } else { from_url(http).await? };
    let mut request = Request::new(parameters.query)
        .variables(Variables::from_json(Value::Object(parameters.variables.unwrap_or_default())));
    request.operation_name = parameters.operation_name.filter(|name| !name.is_empty());
    let extensions = Value::Object(parameters.extensions.unwrap_or_default());
    request.extensions =
        serde_json::from_value(extensions).map_err(|error| BadRequest::malformed("extensions", &error))?;
    Ok(request)
}

async fn from_url(http: axum::extract::Request) -> Result<Parameters, BadRequest> {
    let (mut parts, _) = http.into_parts();
    let Query(url) = Query::<UrlParameters>::from_request_parts(&mut parts, &())
        .await
        .map_err(|error| BadRequest::malformed("query string", &error))?;
    Ok(Parameters {
        query: url.query.ok_or_else(|| BadRequest::new("The parameter \"query\" is missing"))?,
        operation_name: url.operation_name,
        variables: object("variables", url.variables)?,
        extensions: object("extensions", url.extensions)?,
    })
}

async fn from_body(http: axum::extract::Request) -> Result<Parameters, BadRequest> {
    if !is_json(http.headers()) {
        let message = "Send the request as JSON, with the header content-type: application/json";
        return Err(BadRequest { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, ..BadRequest::new(message) });
    }
    let body = to_bytes(http.into_body(), MAX_BODY).await.map_err(|_| {
        let message = format!("The request could not be read, or is over {} kB", MAX_BODY / 1024);
        BadRequest { status: StatusCode::PAYLOAD_TOO_LARGE, ..BadRequest::new(message) }
    })?;
    // Serde would also take a list for the parameters in their order.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(BadRequest::new("Batches are not supported: send one operation per request"));
    }
    serde_json::from_slice(&body).map_err(|error| BadRequest::malformed("body", &error))
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()?.parse::<Mime>().ok());
    content_type.is_some_and(|mime| {
        mime.essence_str() == "application/json"
            && mime.get_param(mime::CHARSET).is_none_or(|charset| charset == mime::UTF_8)
    })
}

fn object<T: DeserializeOwned>(name: &str, json: Option<String>) -> Result<Option<T>, BadRequest> {
    let json = json.filter(|json| !json.is_empty());
    json.map_or(Ok(None), |json| serde_json::from_str(&json).map_err(|error| BadRequest::malformed(name, &error)))
}

impl BadRequest {
    fn new(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, well_formed: false, error: Box::new(coded(message, "BAD_REQUEST")) }
    }

    fn malformed(what: &str, error: &impl std::fmt::Display) -> Self {
        Self::new(format!("Malformed {what}: {error}"))
    }

    pub(super) fn only_by_post() -> Self {
        let message = "Only queries may be sent by GET: send this operation by POST";
        Self { status: StatusCode::METHOD_NOT_ALLOWED, ..Self::new(message) }
    }

    pub(super) fn cross_site() -> Self {
        let message = "Pages of other sites may not call this API; call it from your server, or from a page of its own \
            origin";
        let error = Box::new(coded(message, "FORBIDDEN"));
        Self { status: StatusCode::FORBIDDEN, well_formed: false, error }
    }

    pub(super) fn not_acceptable() -> Self {
        let message = "Answers are application/graphql-response+json or application/json: accept one of them";
        Self { status: StatusCode::NOT_ACCEPTABLE, ..Self::new(message) }
    }

    pub(super) fn came_too_slowly() -> Self {
        let error = Box::new(coded("The request came too slowly; nothing was done", "REQUEST_TIMEOUT"));
        Self { status: StatusCode::REQUEST_TIMEOUT, well_formed: false, error }
    }

    pub(super) fn took_too_long() -> Self {
        let error = Box::new(coded("The request took too long; what it began may still be done", "REQUEST_TIMEOUT"));
        Self { status: StatusCode::GATEWAY_TIMEOUT, well_formed: false, error }
    }
}

pub(super) fn coded(message: impl Into<String>, code: &str) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", code);
    error
}
