//! The relay: a step that delivers one batch of what is due, and a loop that only waits.

mod delivery;
mod round;
mod schedule;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chassis::{changes::Changes, database::Database, health::Heartbeat};
use futures_util::{StreamExt, stream::FuturesUnordered};
use sea_orm::DbErr;
use tokio::{
    sync::Notify,
    time::{Instant, interval, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{Policy, WakeUp, breaker::Breaker, store::Due};
use crate::finance_client::FinanceClient;
pub use delivery::Tick;
use schedule::Schedule;

/// How often the heart beats while the loop waits for its next round. Far below what `/livez` allows between two beats.
const IDLE_BEAT: Duration = Duration::from_secs(5);

/// Delivers pending payments to finance.
#[derive(Debug)]
pub struct Relay {
    /// Where the outbox is.
    pub database: Database,
    /// Where payments go.
    pub finance: FinanceClient,
    /// How it works.
    pub policy: Policy,
    /// Rung when there may be something to deliver. Only a hint: the poll finds what it misses.
    pub wake_up: WakeUp,
    /// Told of each consultation whose payment has come a step further.
    pub changes: Changes,
    /// Beats with each round, and while none is on its way.
    pub heartbeat: Heartbeat,
    /// There is more to send than the round takes that has just claimed.
    more: Notify,
    breaker: Mutex<Breaker>,
}

impl Relay {
    /// A relay whose breaker is closed.
    #[must_use]
    pub fn new(database: Database, finance: FinanceClient, policy: Policy, wake_up: WakeUp, changes: Changes) -> Self {
        let heartbeat = Heartbeat::new("outbox relay");
        let (more, breaker) = (Notify::new(), Mutex::default());
        Self { database, finance, policy, wake_up, changes, heartbeat, more, breaker }
    }

    /// Makes rounds until shutdown: soon after a wake-up, when a row of a failed round is due again, and at the
    /// latest after the poll interval; several at once while there is more to send than one request takes.
    /// Survives any failure of the database. Ends when the rounds have that were begun.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut rounds = FuturesUnordered::new();
        let mut schedule = Schedule::new(Instant::now());
        let mut idle_beats = interval(IDLE_BEAT);
        loop {
            let has_room = rounds.len() < self.breaker().requests();
            let next_look = schedule.next_look().max(self.breaker().next_probe().unwrap_or(schedule.next_look()));
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some((started, round)) = rounds.next() => {
                    self.heartbeat.beat();
                    schedule.completed(started, round, Instant::now());
                }
                () = sleep_until(next_look), if has_room => {
                    let due = schedule.looked(Instant::now(), self.policy.poll_interval);
                    rounds.push(self.round(due, &shutdown));
                }
                // A database that fails is left alone until the next look.
                () = self.wake_up.notified(), if has_room && !schedule.database_fails() => schedule.hinted(Instant::now()),
                // A round that hangs shows, a long wait does not: Retry-After may ask for one as long as the heart may rest.
                _ = idle_beats.tick(), if rounds.is_empty() => self.heartbeat.beat(),
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
