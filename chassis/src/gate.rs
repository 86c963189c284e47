//! The routes of a service: the API and its explorer behind credentials, the probes open to all.

use std::sync::Arc;

use anyhow::Context;
use async_graphql::Executor;
use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use tokio_util::sync::CancellationToken;

use crate::{
    auth::{self, Authenticator},
    browsers::{self, Rules},
    cli::wrong_setting,
    config::Server,
    graphiql, graphql,
    health::{self, Heartbeat, Readiness},
    language::Language,
};

/// What a service offers to its clients.
#[expect(missing_debug_implementations, reason = "schemas have none")]
pub struct Offer<S> {
    /// The schema of `/graphql`.
    pub schema: S,
    /// The same as text.
    pub sdl: String,
    /// The page of `/graphiql`.
    pub page: graphiql::Page,
    /// Routes beside them.
    pub rest: Router,
}

/// `/graphql`, `/schema.graphql`, `/graphiql`, what else `offer` has, `/livez` and `/readyz`; ready when the
/// monitor behind `readiness` says so, live as long as all `heartbeats` are.
///
/// # Errors
/// When the users or the trusted documents cannot be read.
pub fn router<S: Executor>(
    server: &Server,
    readiness: Readiness,
    shutdown: &CancellationToken,
    offer: Offer<S>,
    heartbeats: Vec<Heartbeat>,
) -> anyhow::Result<Router> {
    let authenticator = Authenticator::new(server.name, &server.access);
    let authenticator = authenticator.with_context(|| format!("--{}-htpasswd-file", server.name));
    let authenticator = authenticator.map_err(wrong_setting)?.behind(server.trusted_proxies.clone());
    let authenticator = Arc::new(authenticator);
    tokio::spawn(Arc::clone(&authenticator).keep_renewed(shutdown.clone()));
    let endpoint = graphql::Endpoint::with(offer.schema, &server.api)
        .with_context(|| format!("--{}-trusted-documents", server.name))
        .map_err(wrong_setting)?
        .until(shutdown.clone());
    let guarded = Router::new()
        .merge(graphql::router(endpoint.clone(), offer.sdl))
        .merge(graphiql::router(offer.page))
        .merge(offer.rest)
        .fallback(graphql::not_found)
        .method_not_allowed_fallback(graphql::method_not_allowed);
    let guarded = auth::require(guarded, Arc::clone(&authenticator));
    let guarded = graphql::websocket::before(guarded, endpoint, authenticator);
    let guarded = browsers::allow(guarded, &server.browsers);
    let health = health::router(readiness, shutdown.clone(), heartbeats);
    let name = server.name;
    let tell_name = async move |response| health::tell_name(name, response);
    let health =
        health.method_not_allowed_fallback(graphql::method_not_allowed).layer(middleware::map_response(tell_name));
    Ok(guarded.merge(health).layer(middleware::from_fn_with_state(Arc::new(Rules::of(server)), receive)))
}

/// What every request passes first, in its language. One layer, since each has its price in allocations.
async fn receive(State(rules): State<Arc<Rules>>, request: Request, next: Next) -> Response {
    let language = Language::of(request.headers());
    rules.apply(request, async |request| language.scope(next.run(request)).await).await
}
