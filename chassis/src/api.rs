//! The routes of a service: the API and its explorer behind credentials, the probes open to all.

use std::sync::Arc;

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
/// When the users cannot be read.
pub fn router<M: MigratorTrait + 'static>(
    server: &Server,
    database: &Database,
    shutdown: &CancellationToken,
    (schema, sdl): (impl Executor, String),
    page: graphiql::Page,
    heartbeat: Option<Heartbeat>,
) -> anyhow::Result<Router> {
    let authenticator = Arc::new(Authenticator::new(server.name, &server.access)?);
    let guarded = Router::new()
        .merge(graphql::router(graphql::Endpoint::new(schema).introspection(server.api.introspection), sdl))
        .merge(graphiql::router(page))
        .fallback(graphql::not_found);
    Ok(auth::require(guarded, authenticator).merge(health::router::<M>(database.clone(), shutdown.clone(), heartbeat)))
}
