//! `/livez` and `/readyz`, for supervisors and load balancers; open to all, they tell nothing secret.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, http::StatusCode, routing::get};
use futures_util::{FutureExt, future::BoxFuture};
use sea_orm_migration::MigratorTrait;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::database::Database;

/// An orchestrator asks every few seconds; a database that takes longer than this is not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// A loop that has not completed a round for this long hangs. The longest that does not is a relay's whose
/// database goes down during its call: it writes outcomes until a lease of 30 s ends, and 15 s for the last.
const LONGEST_ROUND: Duration = Duration::from_mins(1);

/// The sign of life of a background loop, without which a process looks healthy while the loop hangs.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    name: &'static str,
    last: Arc<Mutex<Instant>>,
}

impl Heartbeat {
    /// Of the loop with this name, which begins now.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, last: Arc::new(Mutex::new(Instant::now())) }
    }

    /// A round is completed, whether it did what it should or failed.
    pub fn beat(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn check(&self) -> Result<(), String> {
        let age = self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
        if age <= LONGEST_ROUND { Ok(()) } else { Err(format!("{}: no round for {} s", self.name, age.as_secs())) }
    }
}

/// Says what is missing, or nothing.
type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// `/livez`: the process answers and its loop, if it has one, goes round. `/readyz`: it can do its work, and
/// is not shutting down.
pub fn router<M: MigratorTrait + 'static>(
    database: Database,
    shutdown: CancellationToken,
    heartbeat: Option<Heartbeat>,
) -> Router {
    let check: Check = Arc::new(move || migrated::<M>(database.clone()).boxed());
    Router::new()
        .route("/livez", get(async move || live(heartbeat.as_ref())))
        .route("/readyz", get(move || ready(check.clone(), shutdown.clone())))
}

fn live(heartbeat: Option<&Heartbeat>) -> (StatusCode, String) {
    match heartbeat.map_or(Ok(()), Heartbeat::check) {
        Ok(()) => (StatusCode::OK, "ok".to_owned()),
        Err(hangs) => (StatusCode::SERVICE_UNAVAILABLE, hangs),
    }
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
