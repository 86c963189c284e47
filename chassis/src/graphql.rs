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

use async_graphql::{
    Executor, Value, Variables,
    parser::types::{OperationDefinition, OperationType},
};
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
    let by_post = http.method() == Method::POST;
    let read = tokio::time::timeout(REQUEST_LIMIT, request::read(http)).await;
    let read = read.unwrap_or_else(|_| Err(BadRequest::came_too_slowly()));
    let outcome = match read.and_then(|request| admit(request, by_post)) {
        Ok(request) => execute(schema, request, &id).await,
        Err(bad_request) => Outcome::from(bad_request),
    };
    outcome.encode(media_type)
}

/// A GET must not change anything: checked on the parsed document, whatever way it came. Neither does
/// an operation run that lacks a variable: async-graphql would only notice in the middle of it.
fn admit(mut request: async_graphql::Request, by_post: bool) -> Result<async_graphql::Request, BadRequest> {
    let (name, variables) = (request.operation_name.clone(), request.variables.clone());
    let document = request.parsed_query().map_err(|error| BadRequest::unparsable(&error))?;
    let mut operations = document.operations.iter();
    let operation = match &name {
        Some(name) => operations.find(|(found, _)| found.is_some_and(|found| found == name)),
        None => operations.next().filter(|_| operations.next().is_none()),
    };
    // Without one, the execution says what is wrong with the choice.
    let Some((_, operation)) = operation else { return Ok(request) };
    if !by_post && operation.node.ty != OperationType::Query {
        return Err(BadRequest::only_by_post());
    }
    require_variables(&operation.node, &variables)?;
    Ok(request)
}

fn require_variables(operation: &OperationDefinition, given: &Variables) -> Result<(), BadRequest> {
    let mut required = operation
        .variable_definitions
        .iter()
        .map(|variable| &variable.node)
        .filter(|variable| !variable.var_type.node.nullable && variable.default_value.is_none());
    let missing = required.find(|variable| given.get(&variable.name.node).is_none_or(|value| *value == Value::Null));
    missing.map_or(Ok(()), |variable| Err(BadRequest::lacks_variable(variable)))
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
pub async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "Not found. The API is at /graphql, its explorer at /graphiql\n").into_response()
}
