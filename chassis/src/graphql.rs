//! GraphQL over HTTP to the letter: queries by GET or POST, mutations by POST only, JSON only, one
//! operation a request, bounded bodies, operations and time, nothing for other sites, faults masked.
//!
//! The handler is ours because async-graphql-axum's extractor runs mutations sent by GET and takes
//! text/plain for JSON (with Basic credentials that a browser remembers, both let any page act for its
//! user), reads bodies of any size and accepts unbounded batches.

mod admission;
mod bad_document;
pub mod connection;
pub mod cost;
pub mod limits;
pub mod refusal;
mod request;
mod response;
mod same_origin;
pub mod scalars;

use std::time::Duration;

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

/// A request whose body or whose execution takes longer is answered with an error; what it began goes on,
/// because a database call that is cut half-way poisons its connection.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// A schema with the rules under which it is served.
#[derive(Clone, Debug)]
pub struct Endpoint<E> {
    schema: E,
    introspection: bool,
}

impl<E: Executor> Endpoint<E> {
    /// Serves `schema`.
    pub fn new(schema: E) -> Self {
        Self { schema, introspection: true }
    }

    /// Whether clients may ask for the schema.
    #[must_use]
    pub fn introspection(self, introspection: bool) -> Self {
        Self { introspection, ..self }
    }
}

/// `/graphql` for `endpoint`, and its SDL at `/schema.graphql` if clients may know it.
pub fn router<E: Executor>(endpoint: Endpoint<E>, sdl: String) -> Router {
    let handler = async |State(endpoint): State<Endpoint<E>>, request: Request| answer(endpoint, request).await;
    let tells = endpoint.introspection;
    let router = Router::new().route("/graphql", get(handler).post(handler)).with_state(endpoint);
    if !tells {
        return router;
    }
    let sdl = axum::body::Bytes::from(sdl);
    router.route(
        "/schema.graphql",
        get(async move || ([(header::CONTENT_TYPE, "application/graphql; charset=utf-8")], sdl)),
    )
}

async fn answer<E: Executor>(endpoint: Endpoint<E>, http: Request) -> Response {
    let Some(media_type) = MediaType::negotiate(http.headers()) else {
        return Outcome::from(BadRequest::not_acceptable()).encode(MediaType::Json);
    };
    if same_origin::is_cross_site(http.headers(), http.uri()) {
        return Outcome::from(BadRequest::cross_site()).encode(media_type);
    }
    let id = http.extensions().get::<RequestId>().map(|id| id.as_str().to_owned()).unwrap_or_default();
    let by_post = http.method() == Method::POST;
    let read = tokio::time::timeout(REQUEST_LIMIT, request::read(http)).await;
    let read = read.unwrap_or_else(|_| Err(BadRequest::came_too_slowly()));
    let outcome = match read.and_then(|request| endpoint.admit(request)) {
        // Checked on the parsed document: a GET must not change anything, whatever way the document came.
        Ok(admitted) if !by_post && admitted.kind != OperationType::Query => Outcome::from(BadRequest::only_by_post()),
        Ok(admitted) => execute(endpoint.schema, admitted.request, &id).await,
        Err(bad_request) => Outcome::from(bad_request),
    };
    outcome.encode(media_type)
}

/// Runs in a task of its own, which a client that hangs up does not cancel.
async fn execute<E: Executor>(schema: E, request: async_graphql::Request, request_id: &str) -> Outcome {
    let task = tokio::spawn(async move { schema.execute(request).await }.in_current_span());
    match tokio::time::timeout(REQUEST_LIMIT, task).await {
        Ok(Ok(response)) => Outcome::of(response, request_id),
        Ok(Err(panic)) => Outcome::fault(&panic, request_id),
        Err(_) => Outcome::from(BadRequest::took_too_long()),
    }
}

/// Answers everything that no route answers.
pub async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "Not found. The API is at /graphql, its explorer at /graphiql\n").into_response()
}
