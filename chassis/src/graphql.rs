//! GraphQL over HTTP to the letter: queries by GET or POST, mutations by POST only, JSON only, one
//! operation a request, bounded bodies and time, faults masked.
//!
//! The handler is ours because async-graphql-axum's extractor runs mutations sent by GET and takes
//! text/plain for JSON (with Basic credentials that a browser remembers, both let any page act for its
//! user), reads bodies of any size and accepts unbounded batches.

pub mod connection;
pub mod refusal;
mod request;
mod response;
pub mod scalars;

use std::{sync::Arc, time::Duration};

use async_graphql::{Executor, parser::types::OperationType};
use axum::{
    Router,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tracing::Instrument;

use crate::request_id::RequestId;
use request::BadRequest;
use response::{MediaType, Outcome};

/// A request that takes longer is answered with an error; what it began goes on, because a database
/// call that is cut half-way poisons its connection.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// `/graphql` for `schema`, and its SDL at `/schema.graphql`.
pub fn router(schema: impl Executor, sdl: String) -> Router {
    let handler = async |State(schema): State<Arc<_>>, request: Request| answer(schema, request).await;
    let sdl = Arc::<str>::from(sdl);
    Router::new().route("/graphql", get(handler).post(handler)).with_state(Arc::new(schema)).route(
        "/schema.graphql",
        get(async move || ([(header::CONTENT_TYPE, "application/graphql; charset=utf-8")], sdl.to_string())),
    )
}

async fn answer<E: Executor>(schema: Arc<E>, http: Request) -> Response {
    let Some(media_type) = MediaType::negotiate(http.headers()) else {
        return Outcome::from(BadRequest::not_acceptable()).encode(MediaType::Json);
    };
    let id = http.extensions().get::<RequestId>().map(|id| id.as_str().to_owned()).unwrap_or_default();
    let by_get = http.method() == Method::GET;
    let outcome = match request::read(http).await.and_then(|request| admit(request, by_get)) {
        Ok(request) => execute(schema, request, &id).await,
        Err(bad_request) => Outcome::from(bad_request),
    };
    outcome.encode(media_type)
}

/// A GET must not change anything: checked on the parsed document, whatever way it came.
fn admit(mut request: async_graphql::Request, by_get: bool) -> Result<async_graphql::Request, BadRequest> {
    let operation_name = request.operation_name.clone();
    let document = request.parsed_query().map_err(|error| BadRequest::unparsable(&error))?;
    let operation = match &operation_name {
        Some(name) => document.operations.iter().find(|(found, _)| found.is_some_and(|found| found == name)),
        None => document.operations.iter().next(),
    };
    match operation {
        Some((_, operation)) if by_get && operation.node.ty != OperationType::Query => Err(BadRequest::only_by_post()),
        _ => Ok(request),
    }
}

/// Runs in a task of its own, which a client that hangs up does not cancel.
async fn execute<E: Executor>(schema: Arc<E>, request: async_graphql::Request, request_id: &str) -> Outcome {
    let task = tokio::spawn(async move { schema.execute(request).await }.in_current_span());
    match tokio::time::timeout(REQUEST_LIMIT, task).await {
        Ok(Ok(response)) => Outcome::of(response, request_id),
        Ok(Err(panic)) => Outcome::fault(&panic, request_id),
        Err(_) => Outcome::from(BadRequest::took_too_long()),
    }
}

/// Answers everything that no route answers.
#[expect(clippy::unused_async, reason = "handlers are async")]
pub async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "Not found. The API is at /graphql, its explorer at /graphiql\n").into_response()
}
