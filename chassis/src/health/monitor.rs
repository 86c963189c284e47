//! Readiness, checked once a second. Probes read the result, so the database is queried once, whatever the number of
//! probes.

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::TimeDelta;
use sea_orm_migration::MigratorTrait;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{Heartbeat, reason::NotReady};
use crate::{
    config::Server,
    database::{Database, is_busy},
};

const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// An older result is void. It is above the wait for a connection when all are busy.
const STALE_AFTER: Duration = Duration::from_secs(5);
/// One check in this many writes. A full disk, and a standby that confirms no commit, show only in a write. Together
/// with `STALE_AFTER` it is below 10 s: they show before a client has waited that long.
const CHECKS_PER_WRITE: u32 = 3;
/// One check in this many looks up the migrations again: the address may lead to another database by then.
const CHECKS_PER_LOOK_UP: u32 = 10;
/// Idle database connections are closed after this time: other processes may need them.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The result of a check.
type Checked = Result<(), NotReady>;

/// The result of the last check.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<Mutex<(Instant, Checked)>>);

impl Readiness {
    /// The reason that the service is not ready, without internals.
    pub(super) fn check(&self) -> Result<(), String> {
        let (since, checked) = self.last();
        match since.elapsed() {
            age if age > STALE_AFTER => Err(format!("the database has not answered for {} s", age.as_secs())),
            _ => checked.map_err(|reason| reason.to_string()),
        }
    }

    fn last(&self) -> (Instant, Checked) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stores the result and returns the one before.
    fn replace(&self, checked: Checked) -> Checked {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *last, (Instant::now(), checked)).1
    }
}

/// Checks the database periodically. A service is ready when the migrations of `M` are applied, its database is
/// writable, and its clock agrees with the database's.
#[derive(Debug)]
pub struct Monitor<M> {
    name: &'static str,
    database: Database,
    max_clock_difference: TimeDelta,
    /// The result that `/readyz` reports.
    pub readiness: Readiness,
    /// Beats with each check.
    pub heartbeat: Heartbeat,
    is_migrated: bool,
    checks: u32,
    migrator: PhantomData<fn() -> M>,
}

impl<M: MigratorTrait> Monitor<M> {
    /// A monitor of the service's database; nothing is checked yet.
    #[must_use]
    pub fn new(server: &Server, database: &Database) -> Self {
        Self {
            name: server.name,
            database: database.clone(),
            max_clock_difference: TimeDelta::from_std(server.max_clock_difference).unwrap_or(TimeDelta::MAX),
            readiness: Readiness(Arc::new(Mutex::new((Instant::now(), Err(NotReady::Unchecked))))),
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
            self.database.close_idle(IDLE_TIMEOUT);
            tokio::select! {
                () = sleep(CHECK_INTERVAL) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    /// Checks once. Logs a result that differs from the one before, with its cause.
    pub async fn check(&mut self) {
        let checked = self.find_reason().await;
        self.heartbeat.beat();
        if checked.as_ref().err().and_then(NotReady::cause).is_some_and(is_busy) {
            // Load is no reason to send requests elsewhere. If it lasts, the previous result becomes stale.
            return;
        }
        let name = self.name;
        match (self.readiness.replace(checked.clone()), checked) {
            (Err(before), Err(reason)) if reason.is_like(&before) => {}
            (_, Err(reason)) => {
                let cause = reason.cause().map(tracing::field::display);
                tracing::warn!(database = self.database.read.address(), cause, "{name}: not ready: {reason}");
            }
            (Err(_), Ok(())) => tracing::info!("{name}: ready"),
            (Ok(()), Ok(())) => {}
        }
    }

    async fn find_reason(&mut self) -> Checked {
        let difference = self.database.clock_difference().await.map_err(NotReady::of)?;
        if difference.abs() > self.max_clock_difference {
            return Err(NotReady::Clock(difference));
        }
        if !self.is_migrated || self.checks.is_multiple_of(CHECKS_PER_LOOK_UP) {
            self.is_migrated = false;
            let pending = self.database.check_migrations::<M>().await.map_err(NotReady::of)?;
            if !pending.is_empty() {
                return Err(NotReady::Migrations(pending));
            }
            self.is_migrated = true;
        }
        if self.checks.is_multiple_of(CHECKS_PER_WRITE) {
            self.database.try_write().await.map_err(NotReady::Unwritable)?;
        }
        // Only after a success: after a failed write the next check writes again.
        self.checks = self.checks.wrapping_add(1);
        Ok(())
    }
}
