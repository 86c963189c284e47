//! The routes of a service: the API and its explorer behind credentials, the probes open to all.

use std::sync::Arc;

use anyhow::Context;
use async_graphql::Executor;
use axum::Router;
use sea_orm_migration::MigratorTrait;
use tokio_util::sync::CancellationToken;

use crate::{
    auth::{self, Authenticator},
    config::Server,
    database::Database,
    graphiql, graphql,
    health::{self, Heartbeat},
};

/// `/graphql`, `/schema.graphql`, `/graphiql`, `/livez` and `/readyz`; ready when the migrations of `M`
/// are applied, live as long as `heartbeat` is.
///
/// # Errors
/// When the users or the trusted documents cannot be read.
pub fn router<M: MigratorTrait + 'static>(
    server: &Server,
    database: &Database,
    shutdown: &CancellationToken,
    (schema, sdl): (impl Executor, String),
    page: graphiql::Page,
    heartbeat: Option<Heartbeat>,
) -> anyhow::Result<Router> {
    let authenticator = Arc::new(Authenticator::new(server.name, &server.access)?);
    let endpoint = graphql::Endpoint::with(schema, &server.api)
        .with_context(|| format!("--{}-trusted-documents", server.name))?
        .until(shutdown.clone());
    let guarded = Router::new()
        .merge(graphql::router(endpoint.clone(), sdl))
        .merge(graphiql::router(page))
        .fallback(graphql::not_found);
    let guarded = auth::require(guarded, Arc::clone(&authenticator));
    let guarded = graphql::websocket::before(guarded, endpoint, authenticator);
    Ok(guarded.merge(health::router::<M>(database.clone(), shutdown.clone(), heartbeat)))
}
