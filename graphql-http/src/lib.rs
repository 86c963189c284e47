//! GraphQL over HTTP to the letter: queries by GET or POST, mutations by POST only, JSON only, one
//! operation a request, bounded bodies, operations and time, nothing for other sites, faults masked;
//! subscriptions as server-sent events, or over a WebSocket.
//!
//! The handler is ours because async-graphql-axum's extractor runs mutations sent by GET and takes
//! text/plain for JSON (with Basic credentials that a browser remembers, both let any page act for its
//! user), reads bodies of any size and accepts unbounded batches.

mod admission;
mod bad_request;
pub mod connection;
pub mod cost;
mod documents;
mod event_stream;
mod explain;
pub mod limits;
mod memory;
mod parsed;
pub mod refusal;
mod request;
mod response;
pub mod scalars;
mod shares;
mod streams;
pub(crate) mod unavailable;
pub mod websocket;

use std::{future::ready, sync::Arc, time::Duration};

use async_graphql::{Executor, parser::types::OperationType};
use axum::{
    Router,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{browsers::same_origin, config::Api, language::Language, request_id::RequestId};
use admission::Admitted;
use bad_request::BadRequest;
use documents::Documents;
use parsed::Parsed;
use response::{MediaType, Outcome};
use shares::Shares;
use streams::MAX_SUBSCRIPTIONS;

/// A request whose body or whose execution takes longer is answered with an error; what it began goes on,
/// because a database call that is cut half-way poisons its connection.
pub(crate) const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// A schema with the rules under which it is served.
#[derive(Clone, Debug)]
pub struct Endpoint<E> {
    schema: E,
    documents: Documents,
    parsed: Arc<Parsed>,
    introspection: bool,
    /// Places for subscriptions, by user.
    subscriptions: Arc<Shares<String>>,
    shutdown: CancellationToken,
}

impl<E: Executor> Endpoint<E> {
    /// Serves `schema` to any document.
    pub fn new(schema: E) -> Self {
        Self {
            schema,
            documents: Documents::default(),
            parsed: Arc::default(),
            introspection: true,
            subscriptions: Arc::new(Shares::new(MAX_SUBSCRIPTIONS)),
            shutdown: CancellationToken::new(),
        }
    }

    /// Serves `schema` as `api` says.
    ///
    /// # Errors
    /// When there are to be trusted documents and they cannot be read.
    pub fn with(schema: E, api: &Api) -> anyhow::Result<Self> {
        let documents = api.trusted_documents.as_deref().map(Documents::trusted).transpose()?.unwrap_or_default();
        Ok(Self { documents, introspection: api.introspection, ..Self::new(schema) })
    }

    /// Ends what goes on for long when `shutdown` is cancelled.
    #[must_use]
    pub fn until(self, shutdown: CancellationToken) -> Self {
        Self { shutdown, ..self }
    }
}

/// `/graphql` for `endpoint`, and its SDL at `/schema.graphql` if clients may know it.
pub fn router<E: Executor>(endpoint: Endpoint<E>, sdl: String) -> Router {
    let handler = async |State(endpoint): State<Endpoint<E>>, request: Request| answer(endpoint, request).await;
    let tells = endpoint.introspection;
    let handler = get(handler).post(handler);
    let router = Router::new().route("/graphql", handler.clone()).route("/graphql/", handler).with_state(endpoint);
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
    let takes_events = event_stream::is_accepted(http.headers());
    let media_type = MediaType::negotiate(http.headers());
    if media_type.is_none() && !takes_events {
        return Outcome::from(BadRequest::not_acceptable()).encode(MediaType::Json);
    }
    if same_origin::is_cross_site(http.headers(), http.uri(), http.extensions()) {
        return Outcome::from(BadRequest::cross_site()).encode(media_type.unwrap_or(MediaType::Json));
    }
    let id = http.extensions().get::<RequestId>().map(|id| id.as_str().to_owned()).unwrap_or_default();
    let user = streams::user(http.headers());
    let by_post = http.method() == Method::POST;
    let read = tokio::time::timeout(REQUEST_LIMIT, request::read(http)).await;
    let read = read.unwrap_or_else(|_| Err(BadRequest::came_too_slowly()));
    let admitted = read.and_then(|request| endpoint.admit(request)).and_then(|admitted| match admitted.kind {
        // Checked on the parsed document: a GET must not change anything, whatever way the document came.
        OperationType::Mutation if !by_post => Err(BadRequest::only_by_post()),
        OperationType::Subscription if !takes_events => Err(BadRequest::needs_stream()),
        _ => Ok(admitted),
    });
    let outcome = match (admitted, media_type) {
        // Who takes events only is told so, too.
        (Err(refusal), None) if refusal.well_formed => {
            return event_stream::respond(stream::once(ready(refusal.into())).boxed(), endpoint.shutdown);
        }
        (Err(bad_request), _) => Outcome::from(bad_request),
        (Ok(admitted), Some(_)) if admitted.kind != OperationType::Subscription => {
            endpoint.execute(admitted, &id).await
        }
        (Ok(admitted), _) => match endpoint.stream(admitted, &user, id.into()) {
            Ok(answers) => return event_stream::respond(answers, endpoint.shutdown),
            Err(bad_request) => Outcome::from(bad_request),
        },
    };
    outcome.encode(media_type.unwrap_or(MediaType::Json))
}

impl<E: Executor> Endpoint<E> {
    /// Runs in a task of its own, which a client that hangs up does not cancel.
    async fn execute(&self, Admitted { request, new_document, .. }: Admitted, request_id: &str) -> Outcome {
        let schema = self.schema.clone();
        let execution = Language::current().scope(async move { schema.execute(request).await });
        let task = tokio::spawn(execution.in_current_span());
        match tokio::time::timeout(REQUEST_LIMIT, task).await {
            Ok(Ok(response)) => {
                let outcome = Outcome::of(response, request_id);
                if outcome.has_run() {
                    self.remember(new_document);
                }
                outcome
            }
            Ok(Err(panic)) => Outcome::fault(&panic, request_id),
            Err(_) => Outcome::from(BadRequest::took_too_long()),
        }
    }
}

/// Answers what a route does not answer by this method. The header `Allow` says by which it does.
pub(crate) async fn method_not_allowed(method: Method) -> Response {
    let message = format!("Not by {method}: the header Allow names the methods of this path");
    let refused = BadRequest { status: StatusCode::METHOD_NOT_ALLOWED, ..BadRequest::new(message) };
    let mut response = Outcome::from(refused).encode(MediaType::Json);
    // That of mutations. The router puts in that of the path.
    response.headers_mut().remove(header::ALLOW);
    response
}

/// Answers everything that no route answers.
pub async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "Not found. The API is at /graphql, its explorer at /graphiql\n").into_response()
}
