//! `/livez` and `/readyz`, for supervisors and load balancers; open to all, they tell nothing secret.

use std::{sync::Arc, time::Duration};

use axum::{Router, http::StatusCode, routing::get};
use futures_util::{FutureExt, future::BoxFuture};
use sea_orm_migration::MigratorTrait;
use tokio_util::sync::CancellationToken;

use crate::database::Database;

/// An orchestrator asks every few seconds; a database that takes longer than this is not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// Says what is missing, or nothing.
type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// `/livez`: the process answers. `/readyz`: it can do its work, and is not shutting down.
pub fn router<M: MigratorTrait + 'static>(database: Database, shutdown: CancellationToken) -> Router {
    let check: Check = Arc::new(move || migrated::<M>(database.clone()).boxed());
    Router::new()
        .route("/livez", get(async || "ok"))
        .route("/readyz", get(move || ready(check.clone(), shutdown.clone())))
}

async fn ready(check: Check, shutdown: CancellationToken) -> (StatusCode, String) {
    if shutdown.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down".to_owned());
    }
    // In a task of its own: a database call must not be cancelled half-way by a prober that hangs up.
    match tokio::time::timeout(PATIENCE, tokio::spawn(check())).await {
        Ok(Ok(Ok(()))) => (StatusCode::OK, "ok".to_owned()),
        Ok(Ok(Err(missing))) => (StatusCode::SERVICE_UNAVAILABLE, missing),
        Ok(Err(_)) | Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer".to_owned()),
    }
}

async fn migrated<M: MigratorTrait>(database: Database) -> Result<(), String> {
    match database.pending_migrations::<M>().await {
        Ok(pending) if pending.is_empty() => Ok(()),
        Ok(pending) => {
            Err(format!("the database lacks migrations ({}); run the migrate subcommand", pending.join(", ")))
        }
        Err(error) => {
            tracing::warn!(%error, "not ready");
            Err("the database cannot be reached".to_owned())
        }
    }
}
