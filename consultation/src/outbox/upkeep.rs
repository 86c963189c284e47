//! Upkeep: rescues rows that a clock has stranded and deletes rows that were delivered long ago, in small batches.

use std::time::Duration;

use chassis::{
    backoff::database_delay,
    clock,
    database::{Database, is_unavailable},
    health::Heartbeat,
};
use sea_orm::DbErr;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Meter, store};

/// The pause between two full batches: the relay and the API come first.
pub(crate) const BATCH_PAUSE: Duration = Duration::from_millis(100);
/// The interval of rescues. Under a minute, after which a loop without a heartbeat counts as hanging.
const RESCUE_INTERVAL: Duration = Duration::from_secs(30);
/// The interval at which the backlog is counted for metrics.
const BACKLOG_INTERVAL: Duration = Duration::from_secs(5);
/// The interval of deletions.
const RETENTION_INTERVAL: Duration = Duration::from_hours(1);

/// The loop of all jobs.
#[derive(Debug)]
pub struct Upkeep {
    /// The database of the outbox.
    pub database: Database,
    /// Time after which delivered rows are deleted. `None`: they stay.
    pub retention: Option<Duration>,
    /// Beats with each step.
    pub heartbeat: Heartbeat,
    /// Shows the backlog. `None`: it is not counted.
    pub meter: Option<Meter>,
}

/// The time of a job's next step.
#[derive(Debug)]
struct Timer {
    next: Instant,
    failures: u32,
}

impl Upkeep {
    /// Rows in one statement: few enough that no other statement waits for long.
    pub const BATCH: u64 = 1_000;

    /// Runs the jobs until shutdown: at start, soon again after a full batch, else after the interval of each job.
    /// Database failures do not stop it.
    pub async fn run(self, shutdown: CancellationToken) {
        let (mut rescue, mut retention, mut counted) = (Timer::new(), Timer::new(), None);
        while !shutdown.is_cancelled() {
            // First: the others wait for a database that is away.
            if let Some(meter) = &self.meter
                && counted.is_none_or(|at: Instant| at.elapsed() >= BACKLOG_INTERVAL)
            {
                let now = Instant::now();
                let since = counted.replace(now).map(|before| now - before);
                self.count(meter, since.unwrap_or_default()).await;
            }
            if rescue.is_due() {
                rescue.stepped(self.rescue().await, RESCUE_INTERVAL);
            }
            if let Some(keep) = self.retention.filter(|_| retention.is_due()) {
                retention.stepped(self.delete(keep).await, RETENTION_INTERVAL);
            }
            self.heartbeat.beat();
            let next = if self.retention.is_some() { rescue.next.min(retention.next) } else { rescue.next };
            let next = counted.map_or(next, |at| next.min(at + BACKLOG_INTERVAL));
            tokio::select! {
                () = sleep_until(next) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    /// `since` is the time from the start of the last count to the start of this one: a failure takes seconds, which are
    /// those of the next.
    async fn count(&self, meter: &Meter, since: Duration) {
        // Not among clients' reads: those are refused under load, when the backlog matters most.
        match store::backlog(&self.database.background).await {
            Ok(backlog) => meter.backlog(&backlog),
            // The readiness check logs an outage, once.
            Err(error) => {
                tracing::debug!(%error, "the backlog was not counted");
                meter.no_backlog(since);
            }
        }
    }

    async fn rescue(&self) -> Result<u64, DbErr> {
        let rows = store::rescue(&self.database.write, Self::BATCH).await?;
        if rows > 0 {
            tracing::warn!(
                rows,
                "payments were due in a future beyond any delay, as when the database's clock is set back; they are due now"
            );
        }
        Ok(rows)
    }

    async fn delete(&self, keep: Duration) -> Result<u64, DbErr> {
        let rows = store::delete_delivered(&self.database.write, keep, clock::now(), Self::BATCH).await?;
        if rows > 0 {
            tracing::info!(rows, "deleted delivered rows of the outbox");
        }
        Ok(rows)
    }
}

impl Timer {
    fn new() -> Self {
        Self { next: Instant::now(), failures: 0 }
    }

    fn is_due(&self) -> bool {
        self.next <= Instant::now()
    }

    fn stepped(&mut self, step: Result<u64, DbErr>, interval: Duration) {
        self.failures = if step.is_ok() { 0 } else { self.failures.saturating_add(1) };
        let pause = match step {
            Ok(Upkeep::BATCH..) => BATCH_PAUSE,
            Ok(_) => interval,
            Err(error) => {
                // The readiness check logs an outage, once.
                if is_unavailable(&error) {
                    tracing::debug!(%error, "outbox upkeep failed; trying again");
                } else {
                    tracing::warn!(%error, "outbox upkeep failed; trying again");
                }
                database_delay(self.failures)
            }
        };
        self.next = Instant::now() + pause;
    }
}

#[cfg(test)]
mod tests;
