//! The relay: a step that delivers what is due, and a loop that only waits.

use std::{sync::Arc, time::Duration};

use chassis::database::Database;
use futures_util::{StreamExt, stream::FuturesUnordered};
use sea_orm::DbErr;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    Policy,
    policy::{destination_delay, refusal_delay},
    store::{self, Lease},
};
use crate::finance::{DeliveryError, FinanceClient};

/// Keeps two relays that meet at one row from spinning.
const MIN_PAUSE: Duration = Duration::from_millis(50);

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
    pub wake_up: Arc<Notify>,
}

/// What one step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// Rows claimed.
    pub claimed: usize,
    /// Payments that finance confirmed.
    pub delivered: usize,
    /// Rows that are due again because the destination failed.
    pub postponed: usize,
    /// Rows that finance refused.
    pub parked: usize,
    /// Rows given back unsent.
    pub released: usize,
    /// Outcomes that came too late: the row belongs to another claim, or is finished.
    pub stale: usize,
}

enum Outcome {
    Delivered,
    Postponed,
    Parked,
    Released,
    Stale,
}

impl Relay {
    /// Steps until shutdown: after a wake-up, when a row is due, and at the latest after the poll
    /// interval. Survives any failure of the database.
    pub async fn run(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let pause = match self.tick(&shutdown).await {
                Ok(tick) if tick.delivered > 0 && tick.postponed == 0 => continue,
                Ok(_) => self.pause().await,
                Err(error) => Err(error),
            };
            let pause = pause.unwrap_or_else(|error| {
                tracing::error!(%error, "the outbox cannot be read; trying again");
                self.policy.poll_interval
            });
            tokio::select! {
                () = self.wake_up.notified() => {}
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    /// Until a row is due, and no longer than the poll interval. A row that is due but was not claimed is
    /// being claimed by another relay.
    async fn pause(&self) -> Result<Duration, DbErr> {
        let poll_interval = self.policy.poll_interval;
        let next = store::next_due_in(&self.database.read).await?;
        Ok(next.map_or(poll_interval, |next| next.max(MIN_PAUSE).min(poll_interval)))
    }

    /// Claims what is due, at most as many as can be sent at once, sends all of it and writes down each
    /// outcome. After `shutdown` nothing is sent that is not on its way.
    ///
    /// # Errors
    /// When the claim fails. An outcome that cannot be written is logged: the lease ends by itself.
    pub async fn tick(&self, shutdown: &CancellationToken) -> Result<Tick, DbErr> {
        // Before the claim, so that the lease can only be longer than what is left by this clock.
        let claimed_at = Instant::now();
        let leases = store::claim(&self.database.write, self.policy.slots, self.policy.lease).await?;
        let mut tick = Tick { claimed: leases.len(), ..Tick::default() };
        let mut deliveries: FuturesUnordered<_> =
            leases.iter().map(|lease| self.deliver(lease, claimed_at, shutdown)).collect();
        while let Some(outcome) = deliveries.next().await {
            match outcome {
                Ok(Outcome::Delivered) => tick.delivered += 1,
                Ok(Outcome::Postponed) => tick.postponed += 1,
                Ok(Outcome::Parked) => tick.parked += 1,
                Ok(Outcome::Released) => tick.released += 1,
                Ok(Outcome::Stale) => tick.stale += 1,
                Err(error) => tracing::error!(%error, "an outcome was not written; its row is claimed again"),
            }
        }
        if tick.claimed > 0 {
            tracing::debug!(?tick, "relayed");
        }
        Ok(tick)
    }

    async fn deliver(
        &self,
        lease: &Lease,
        claimed_at: Instant,
        shutdown: &CancellationToken,
    ) -> Result<Outcome, DbErr> {
        let database = &self.database.write;
        // The monotonic clock: too old, and the lease could end, and another relay begin, during the call.
        if shutdown.is_cancelled() || claimed_at.elapsed() > self.policy.latest_send() {
            return Ok(if store::release(database, lease).await? { Outcome::Released } else { Outcome::Stale });
        }
        let (written, outcome) = match self.finance.record_payment(lease.appointment_id, lease.total_price_cents).await
        {
            Ok(()) => (store::confirm(database, lease.id).await?, Outcome::Delivered),
            Err(DeliveryError::Destination(error)) => {
                tracing::warn!(appointment_id = %lease.appointment_id, error, "finance failed; the payment is sent again");
                let delay = destination_delay(fastrand::f64());
                (store::postpone(database, lease, delay, &error).await?, Outcome::Postponed)
            }
            Err(DeliveryError::Refused(error)) => {
                tracing::error!(appointment_id = %lease.appointment_id, error, "finance refused a payment; it is parked");
                let delay = refusal_delay(lease.rejections.saturating_add(1), fastrand::f64());
                (store::park(database, lease, delay, &error).await?, Outcome::Parked)
            }
        };
        Ok(if written { outcome } else { Outcome::Stale })
    }
}
