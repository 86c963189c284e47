//! The relay: a round that delivers one batch of due rows, and a loop that only waits.

mod delivery;
mod destination;
mod round;
mod schedule;
mod traced;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chassis::{changes::Changes, database::Database, health::Heartbeat, traces::Traces};
use futures_util::{StreamExt, stream::FuturesUnordered};
use sea_orm::DbErr;
use tokio::{
    sync::Notify,
    time::{Instant, interval, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{Meter, Policy, WakeUp, breaker::Breaker, store::Due};
use crate::finance_client::FinanceClient;
pub(in crate::outbox) use delivery::Delivery;
pub use delivery::Tick;
use schedule::Schedule;

/// The interval of heartbeats while the loop waits for its next round. Far below what `/livez` allows between two
/// beats.
const IDLE_BEAT_INTERVAL: Duration = Duration::from_secs(5);

/// Delivers pending payments to finance.
#[derive(Debug)]
pub struct Relay {
    /// The database of the outbox.
    pub database: Database,
    /// The destination of payments.
    pub finance: FinanceClient,
    /// Intervals and timeouts.
    pub policy: Policy,
    /// Notifies when rows may be due. The poll finds what it misses.
    pub wake_up: WakeUp,
    /// Receives the id of each consultation whose payment changed state.
    pub changes: Changes,
    /// Beats after each round, and while no round is in progress.
    pub heartbeat: Heartbeat,
    /// Measures rounds.
    pub meter: Meter,
    /// Traces requests to finance.
    pub traces: Traces,
    /// Notifies when a round has claimed all that it may send: more rows may be due.
    more: Notify,
    breaker: Mutex<Breaker>,
}

impl Relay {
    /// A relay whose breaker is closed.
    #[must_use]
    pub fn new(database: Database, finance: FinanceClient, policy: Policy, wake_up: WakeUp, changes: Changes) -> Self {
        let heartbeat = Heartbeat::new("outbox relay");
        let (meter, traces, more, breaker) = (Meter::default(), Traces::default(), Notify::new(), Mutex::default());
        Self { database, finance, policy, wake_up, changes, heartbeat, meter, traces, more, breaker }
    }

    /// Runs rounds until shutdown: soon after a notification, when a row of a failed round is due again, and at the
    /// latest after the poll interval. Several rounds run at once while more rows are due than one request takes.
    /// Database failures do not stop it. On shutdown it waits for rounds in progress.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut rounds = FuturesUnordered::new();
        let mut schedule = Schedule::new(Instant::now());
        let mut idle_beats = interval(IDLE_BEAT_INTERVAL);
        loop {
            let has_room = rounds.len() < self.breaker().requests();
            let next_poll = schedule.next().max(self.breaker().next_probe().unwrap_or(schedule.next()));
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some((started, round)) = rounds.next() => {
                    self.heartbeat.beat();
                    schedule.completed(started, round, Instant::now());
                    if !schedule.database_fails() {
                        self.meter.works();
                    }
                }
                () = sleep_until(next_poll), if has_room => {
                    let due = schedule.polled(Instant::now(), self.policy.poll_interval);
                    rounds.push(self.round(due, &shutdown));
                }
                // A database that fails is left alone until the next poll.
                () = self.wake_up.notified(), if has_room && !schedule.database_fails() => schedule.notified(Instant::now()),
                // Only while no round is in progress: a round that hangs must show. A wait may last as long as `/livez`
                // allows between two beats, since Retry-After asks for up to a minute.
                _ = idle_beats.tick(), if rounds.is_empty() => {
                    self.heartbeat.beat();
                    if !schedule.database_fails() {
                        self.meter.works();
                    }
                }
                () = self.more.notified(), if has_room && !schedule.database_fails() => {
                    rounds.push(self.round(Due::All, &shutdown));
                }
            }
        }
        while rounds.next().await.is_some() {}
    }

    async fn round(&self, due: Due, shutdown: &CancellationToken) -> (Instant, Result<Tick, DbErr>) {
        (Instant::now(), self.tick(due, shutdown).await)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
