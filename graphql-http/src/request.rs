//! Parses HTTP requests and WebSocket payloads into GraphQL requests.

use async_graphql::{Request, Variables};
use axum::{
    extract::{FromRequestParts, Query},
    http::{HeaderMap, Method, header},
};
use mime::Mime;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    bad_request::BadRequest,
    body,
    documents::{DocumentId, has_reference},
};

/// Bytes of a body: a document of the largest size, and variables with lists of hundreds of inputs.
pub(crate) const MAX_BODY: usize = 256 * 1024;

/// The parameters of GraphQL over HTTP. `null` is the same as absent.
#[derive(Debug, Deserialize)]
struct Parameters {
    query: Option<String>,
    #[serde(rename = "documentId")]
    document_id: Option<String>,
    #[serde(rename = "operationName")]
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
    extensions: Option<Map<String, Value>>,
}

/// The same parameters in a query string, where objects are JSON texts.
#[derive(Debug, Deserialize)]
struct UrlParameters {
    query: Option<String>,
    #[serde(rename = "documentId")]
    document_id: Option<String>,
    #[serde(rename = "operationName")]
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

/// Reads and parses an HTTP request.
pub(crate) async fn read(http: axum::extract::Request) -> Result<Request, BadRequest> {
    // HEAD is a GET whose body is not sent.
    let parameters = if http.method() == Method::POST { from_body(http).await? } else { from_url(http).await? };
    parameters.try_into()
}

/// Parses the payload of a WebSocket's `subscribe`.
pub(crate) fn from_message(payload: Value) -> Result<Request, BadRequest> {
    let parameters: Parameters =
        serde_json::from_value(payload).map_err(|error| BadRequest::malformed("payload", &error))?;
    parameters.try_into()
}

impl TryFrom<Parameters> for Request {
    type Error = BadRequest;

    fn try_from(parameters: Parameters) -> Result<Self, BadRequest> {
        let Parameters { query, document_id, operation_name, variables, extensions } = parameters;
        let has_text = query.is_some();
        let mut request = Self::new(query.unwrap_or_default())
            .variables(Variables::from_json(Value::Object(variables.unwrap_or_default())));
        request.operation_name = operation_name.filter(|name| !name.is_empty());
        request.extensions = serde_json::from_value(Value::Object(extensions.unwrap_or_default()))
            .map_err(|error| BadRequest::malformed("extensions", &error))?;
        if let Some(id) = document_id.filter(|id| !id.is_empty()) {
            request.data.insert(DocumentId(id));
        }
        if !has_text && !has_reference(&request) {
            return Err(BadRequest::new("The parameter \"query\" is missing"));
        }
        Ok(request)
    }
}

async fn from_url(http: axum::extract::Request) -> Result<Parameters, BadRequest> {
    let (mut parts, _) = http.into_parts();
    let Query(url) = Query::<UrlParameters>::from_request_parts(&mut parts, &())
        .await
        .map_err(|error| BadRequest::malformed("query string", &error))?;
    Ok(Parameters {
        query: url.query,
        document_id: url.document_id,
        operation_name: url.operation_name,
        variables: object("variables", url.variables)?,
        extensions: object("extensions", url.extensions)?,
    })
}

async fn from_body(http: axum::extract::Request) -> Result<Parameters, BadRequest> {
    require_json(http.headers())?;
    let (parts, body) = http.into_parts();
    let body = body::read(&parts.headers, body, MAX_BODY).await;
    let body = body.map_err(|error| BadRequest::body(&error, MAX_BODY))?;
    // Serde would take a list as the parameters in order.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(BadRequest::new("Batches are not supported: send one operation per request"));
    }
    serde_json::from_slice(&body).map_err(|error| BadRequest::malformed("body", &error))
}

fn require_json(headers: &HeaderMap) -> Result<(), BadRequest> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()?.parse::<Mime>().ok());
    let content_type = content_type.filter(|mime| mime.essence_str() == "application/json");
    let content_type = content_type.ok_or_else(|| {
        BadRequest::unsupported("Send the request as JSON, with the header content-type: application/json")
    })?;
    match content_type.get_param(mime::CHARSET) {
        Some(charset) if charset != mime::UTF_8 => Err(BadRequest::unsupported(format!(
            "The content type says charset={charset}: send JSON in UTF-8, its only encoding"
        ))),
        _ => Ok(()),
    }
}

fn object<T: DeserializeOwned>(name: &str, json: Option<String>) -> Result<Option<T>, BadRequest> {
    let json = json.filter(|json| !json.is_empty());
    json.map_or(Ok(None), |json| serde_json::from_str(&json).map_err(|error| BadRequest::malformed(name, &error)))
}
