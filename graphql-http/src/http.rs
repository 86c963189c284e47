//! The HTTP handler: queries by GET or POST, mutations by POST only, JSON only, one operation a request. Subscriptions
//! are answered as server-sent events, and upgrades become WebSockets.
//!
//! It replaces async-graphql-axum's extractor. That runs mutations sent by GET and takes text/plain for JSON: either
//! lets any page act for a user whose browser stores credentials. It also reads bodies of any size and accepts
//! unbounded batches.

use std::{
    future::{pending, ready},
    sync::Arc,
};

use async_graphql::{Executor, parser::types::OperationType};
use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{Method, header},
    response::Response,
    routing::get,
};
use futures_util::{StreamExt, stream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower_http::request_id::RequestId;

use crate::{
    Caller, Endpoint, TaskContext,
    bad_request::BadRequest,
    cross_site,
    endpoint::REQUEST_TIMEOUT,
    event_stream,
    media_type::MediaType,
    meter::{Protocol, Sender},
    request,
    response::Outcome,
    websocket,
};

/// The paths of the endpoint.
pub(crate) const PATHS: [&str; 2] = ["/graphql", "/graphql/"];

/// Serves `endpoint` at `/graphql`, and `sdl` at `/schema.graphql` unless introspection is disabled.
pub fn router<E: Executor, C: TaskContext>(endpoint: Endpoint<E, C>, sdl: String) -> Router {
    let is_open = endpoint.introspection();
    // Boxed: the layers around them would copy the large futures again and again.
    let handler = async |State(endpoint): State<Arc<Endpoint<E, C>>>, request: Request| {
        if websocket::is_upgrade(request.headers()) {
            Box::pin(websocket::upgrade(endpoint, request)).await
        } else {
            Box::pin(answer(endpoint, request)).await
        }
    };
    let handler = get(handler).post(handler);
    let router = PATHS.iter().fold(Router::new(), |router, path| router.route(path, handler.clone()));
    let router = router.with_state(Arc::new(endpoint));
    if !is_open {
        return router;
    }
    let sdl = Bytes::from(sdl);
    let content_type = [(header::CONTENT_TYPE, "application/graphql; charset=utf-8")];
    router.route("/schema.graphql", get(async move || (content_type, sdl)))
}

/// Answers a method that a route does not have, in the form of a GraphQL error. The router adds the header `Allow`.
pub async fn method_not_allowed(method: Method) -> Response {
    let mut response = Outcome::from(BadRequest::method_not_allowed(method)).encode(MediaType::Json);
    // This `Allow` is that of a mutation by GET. The router adds that of the path.
    response.headers_mut().remove(header::ALLOW);
    response
}

/// The id of a request, as tower-http's middleware sets it; empty without.
pub(crate) fn request_id(extensions: &axum::http::Extensions) -> Arc<str> {
    let id = extensions.get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
    id.unwrap_or_default().into()
}

async fn answer<E: Executor, C: TaskContext>(endpoint: Arc<Endpoint<E, C>>, http: Request) -> Response {
    let accepts_events = event_stream::is_accepted(http.headers());
    let media_type = MediaType::negotiate(http.headers());
    if media_type.is_none() && !accepts_events {
        return endpoint.refuse(BadRequest::not_acceptable()).encode(MediaType::Json);
    }
    if cross_site::is_cross_site(http.headers(), http.uri(), http.extensions()) {
        return endpoint.refuse(BadRequest::cross_site()).encode(media_type.unwrap_or(MediaType::Json));
    }
    let id = request_id(http.extensions());
    let Some(caller) = endpoint.caller(http.extensions()) else {
        return endpoint.refuse(BadRequest::unauthenticated()).encode(media_type.unwrap_or(MediaType::Json));
    };
    let sender = Sender { caller, request_id: id, protocol: Protocol::Http };
    let by_post = http.method() == Method::POST;
    let read = timeout(REQUEST_TIMEOUT, request::read(http)).await.unwrap_or_else(|_| Err(BadRequest::read_timeout()));
    let admitted = read.and_then(|request| endpoint.admit(request, &sender)).and_then(|admitted| {
        let refusal = match admitted.kind {
            // Checked on the parsed document, whatever way it came: a persisted query cannot smuggle a mutation.
            OperationType::Mutation if !by_post => BadRequest::mutation_by_get(),
            OperationType::Subscription if !accepts_events => BadRequest::subscription_needs_stream(),
            _ => return Ok(admitted),
        };
        Err(admitted.refused(&endpoint.meters, refusal))
    });
    let outcome = match (admitted, media_type) {
        // A client that accepts events only gets its refusal as an event.
        (Err(refusal), None) if refusal.well_formed => {
            return event_stream::respond(stream::once(ready(endpoint.refuse(refusal))).boxed(), pending());
        }
        (Err(refusal), _) => endpoint.refuse(refusal),
        (Ok(admitted), Some(_)) if admitted.kind != OperationType::Subscription => endpoint.execute(admitted).await,
        (Ok(admitted), _) => match endpoint.stream(admitted, C::capture()) {
            Ok(outcomes) => return event_stream::respond(outcomes, end(endpoint.shutdown.clone(), sender.caller)),
            Err(refusal) => endpoint.refuse(refusal),
        },
    };
    outcome.encode(media_type.unwrap_or(MediaType::Json))
}

/// Completes at shutdown, or when the credentials of the caller are no longer valid.
async fn end(shutdown: CancellationToken, caller: Caller) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = caller.expired() => {}
    }
}
