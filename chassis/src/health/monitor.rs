//! Whether the service can do its work, found out once a second: a probe reads the result, so that however many ask,
//! the database is asked once.

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::TimeDelta;
use sea_orm::DbErr;
use sea_orm_migration::MigratorTrait;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::Heartbeat;
use crate::{config::Server, database::Database};

const INTERVAL: Duration = Duration::from_secs(1);
/// A result that is older says nothing. Longer than the wait for a connection when all are busy.
const STALE_AFTER: Duration = Duration::from_secs(5);
/// Every how many checks something is written: only so a full disk, and a standby that confirms no commit, are known
/// before a client meets them. Together with the time after which a result is stale less than 10 s.
const CHECKS_PER_WRITE: u32 = 3;
/// Connections that were not used for so long are closed: other processes may need them.
const CLOSE_WHEN_IDLE_FOR: Duration = Duration::from_secs(30);

/// What is missing, or nothing.
type Missing = Result<(), String>;

/// The result of the last check.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<Mutex<(Instant, Missing)>>);

impl Readiness {
    pub(super) fn check(&self) -> Missing {
        let (since, missing) = self.last();
        match since.elapsed() {
            age if age > STALE_AFTER => Err(format!("the database has not answered for {} s", age.as_secs())),
            _ => missing,
        }
    }

    fn last(&self) -> (Instant, Missing) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stores the result and returns the one before.
    fn replace(&self, missing: Missing) -> Missing {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *last, (Instant::now(), missing)).1
    }
}

/// Checks the database again and again: ready is a service whose migrations (those of `M`) are applied, whose database
/// can be written, and whose clock agrees with the database's.
#[derive(Debug)]
pub struct Monitor<M> {
    name: &'static str,
    database: Database,
    max_clock_difference: TimeDelta,
    /// What `/readyz` tells.
    pub readiness: Readiness,
    /// Beats with each check.
    pub heartbeat: Heartbeat,
    is_migrated: bool,
    checks: u32,
    migrator: PhantomData<fn() -> M>,
}

impl<M: MigratorTrait> Monitor<M> {
    /// Of this service's database; nothing has been checked yet.
    #[must_use]
    pub fn new(server: &Server, database: &Database) -> Self {
        let unchecked = Err("the database has not been checked yet".to_owned());
        Self {
            name: server.name,
            database: database.clone(),
            max_clock_difference: TimeDelta::from_std(server.max_clock_difference).unwrap_or(TimeDelta::MAX),
            readiness: Readiness(Arc::new(Mutex::new((Instant::now(), unchecked)))),
            heartbeat: Heartbeat::new("readiness"),
            is_migrated: false,
            checks: 0,
            migrator: PhantomData,
        }
    }

    /// Checks until shutdown.
    pub async fn run(mut self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            self.check().await;
            self.database.close_idle(CLOSE_WHEN_IDLE_FOR);
            tokio::select! {
                () = sleep(INTERVAL) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    /// Checks once; logs when the result is another than before.
    pub async fn check(&mut self) {
        let missing = match self.find_missing().await {
            // Many requests are no reason to send them elsewhere: elsewhere it is the same.
            Err(_) if self.database.read.are_all_busy() => self.readiness.last().1,
            missing => missing,
        };
        self.heartbeat.beat();
        let name = self.name;
        match (self.readiness.replace(missing.clone()), missing) {
            (Err(before), Err(missing)) if before == missing => {}
            (_, Err(missing)) => tracing::warn!("{name}: not ready: {missing}"),
            (Err(_), Ok(())) => tracing::info!("{name}: ready"),
            (Ok(()), Ok(())) => {}
        }
    }

    async fn find_missing(&mut self) -> Missing {
        let difference = self.database.clock_difference().await.map_err(|error| unusable(&error))?;
        if difference.abs() > self.max_clock_difference {
            let direction = if difference < TimeDelta::zero() { "behind" } else { "ahead of" };
            let seconds = difference.abs().num_seconds();
            return Err(format!("this machine's clock is {seconds} s {direction} the database's; set it right"));
        }
        if !self.is_migrated {
            let pending = self.database.pending_migrations::<M>().await.map_err(|error| unusable(&error))?;
            if !pending.is_empty() {
                return Err(format!(
                    "the database lacks migrations ({}); run the migrate subcommand",
                    pending.join(", ")
                ));
            }
            self.is_migrated = true;
        }
        if self.checks.is_multiple_of(CHECKS_PER_WRITE) {
            let written = self.database.try_write().await;
            written.map_err(|error| match error {
                DbErr::Custom(why) => format!("the database cannot be written: {why}"),
                error => format!("the database cannot be written: {error}"),
            })?;
        }
        // Only after a success: a full disk is written to again in a second.
        self.checks = self.checks.wrapping_add(1);
        Ok(())
    }
}

fn unusable(error: &DbErr) -> String {
    tracing::debug!(%error, "the database cannot be used");
    let text = error.to_string();
    if text.contains("read-only") {
        "the database is read-only".to_owned()
    } else {
        "the database cannot be reached".to_owned()
    }
}
