//! One round: claim, send, write down what came of it.

use chassis::{
    backoff::database_delay,
    database::{is_about_rows, is_unavailable},
    seeded_bug::is_seeded,
};
use sea_orm::DbErr;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    super::{
        breaker::{Hint, Permit},
        policy::{destination_delay, refusal_delay},
        store::{self, Due, Failure, Lease},
    },
    Relay,
    delivery::{Delivery, Tick},
};
use crate::finance_client::{DestinationFailed, Payment, PaymentResult};

/// An instance of finance, or why it was not met.
type Destination = Result<Uuid, DestinationFailed>;

impl Relay {
    /// Claims what is `due`, as much as the breaker lets through in one request, sends it and writes down
    /// each outcome. After `shutdown` nothing is sent that is not on its way.
    ///
    /// # Errors
    /// When the database fails. An outcome is written until its lease ends, and then the row claimed again.
    pub async fn tick(&self, due: Due, shutdown: &CancellationToken) -> Result<Tick, DbErr> {
        // Before the claim, so that the lease can only be longer than what is left by this clock.
        let claimed_at = Instant::now();
        let permit = self.breaker().permit(claimed_at);
        let claimed = self.claim(permit, due).await;
        let leases = claimed.as_deref().unwrap_or_default();
        if leases.is_empty() {
            self.breaker().give_back(permit, Instant::now());
            return claimed.map(|_| Tick::default());
        }
        let limit = if let Permit::Batch(limit) = permit { limit } else { 1 };
        let has_more = u64::try_from(leases.len()).is_ok_and(|claimed| claimed >= limit);
        if has_more && matches!(permit, Permit::Batch(_)) {
            // Now, not when this round has ended: its request may hang, and there is more to send.
            self.more.notify_one();
        }
        let mut tick = Tick { claimed: leases.len(), has_more, ..Tick::default() };
        let called_at = Instant::now();
        let destination = if shutdown.is_cancelled() { Ok(None) } else { self.destination(&leases[0]).await };
        let outcomes = match &destination {
            // The monotonic clock: too old, and the lease could end, and another relay begin, during the call.
            Ok(Some(destination)) if claimed_at.elapsed() <= self.policy.latest_send() => {
                self.send(leases, destination, called_at).await
            }
            _ => {
                self.breaker().give_back(permit, Instant::now());
                vec![Delivery::Released(leases.iter().collect())]
            }
        };
        for outcome in outcomes.iter().filter(|outcome| outcome.rows() > 0) {
            let written = self.write_down(outcome, claimed_at, shutdown).await;
            // Also after a failure: it may have been written all the same.
            self.changes.publish(&outcome.appointment_ids());
            tick.count(outcome, usize::try_from(written?).unwrap_or(usize::MAX));
        }
        tracing::debug!(?tick, "relayed");
        destination.map(|_| tick)
    }

    async fn claim(&self, permit: Permit, due: Due) -> Result<Vec<Lease>, DbErr> {
        let (database, lease) = (&self.database.write, self.policy.lease);
        match permit {
            Permit::Batch(limit) => store::claim(database, due, limit, lease).await,
            Permit::Probe => match store::claim(database, Due::NeverRefused, 1, lease).await? {
                // Better one that was refused than none: it is offered at least once an hour.
                none if none.is_empty() => store::claim(database, Due::All, 1, lease).await,
                found => Ok(found),
            },
            Permit::Denied => Ok(Vec::new()),
        }
    }

    /// The finance that rows go to: the accepted one, else the first that is met, on which all replicas agree.
    async fn destination(&self, lease: &Lease) -> Result<Option<Destination>, DbErr> {
        if let Some(accepted) = lease.destination {
            return Ok(Some(Ok(accepted)));
        }
        match self.finance.instance_id().await {
            Ok(met) => store::meet(&self.database.write, met).await.map(|stored| Some(Ok(stored))),
            Err(failed) => Ok(Some(Err(failed))),
        }
    }

    /// Sends the rows in one request. Infallible: failures are returned as outcomes.
    async fn send<'a>(&self, leases: &'a [Lease], destination: &Destination, called_at: Instant) -> Vec<Delivery<'a>> {
        let payments: Vec<_> = leases.iter().map(Payment::from).collect();
        if is_seeded("finish-before-confirm") {
            drop(store::confirm(&self.database.write, &leases.iter().collect::<Vec<_>>()).await);
        }
        let answers = match destination {
            Ok(instance_id) => self.finance.record_payments(&payments, *instance_id).await,
            Err(failed) => Err(failed.clone()),
        };
        self.note(answers.as_ref().err());
        let is_partial = answers.is_ok();
        let answers = answers.unwrap_or_else(|error| vec![PaymentResult::Failed(error.message); leases.len()]);

        let (mut confirmed, mut failed, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        let retry = destination_delay(called_at.elapsed(), fastrand::f64());
        for (lease, answer) in leases.iter().zip(answers) {
            match answer {
                PaymentResult::Confirmed => confirmed.push(lease),
                PaymentResult::Failed(error) => {
                    if is_partial {
                        tracing::warn!(appointment_id = %lease.appointment_id, error, "finance failed at one payment; it is sent again");
                    }
                    failed.push(Failure { lease, delay: retry, error });
                }
                PaymentResult::Refused(error) => {
                    tracing::error!(appointment_id = %lease.appointment_id, error, "finance refused a payment; it is parked");
                    let delay = refusal_delay(lease.rejections.saturating_add(1), fastrand::f64());
                    refused.push(Failure { lease, delay, error });
                }
            }
        }
        vec![Delivery::Confirmed(confirmed), Delivery::Postponed(failed), Delivery::Parked(refused)]
    }

    /// Tells the breaker and the log: loudly what someone must mend, and when an outage begins and ends.
    fn note(&self, failure: Option<&DestinationFailed>) {
        let Some(failure) = failure else {
            if self.breaker().succeeded() {
                tracing::info!("finance is back");
            }
            return;
        };
        let hint = Hint::from(failure);
        let opened = self.breaker().failed(hint, Instant::now());
        match (opened, hint) {
            (_, Hint::Misconfigured) => tracing::error!(error = %failure, "no payment arrives until this is fixed"),
            (true, Hint::RetryAfter(pause)) => tracing::warn!(error = %failure, ?pause, "finance asks for patience"),
            (true, Hint::None) => tracing::warn!(error = %failure, "finance is down; each 5 s one payment is tried"),
            (false, _) => tracing::info!(error = %failure, "finance failed; the payments are sent again"),
        }
    }

    /// Writes an outcome, again while the database fails: one that is lost costs the rest of a lease. A repeated write
    /// changes nothing. A row that somebody else has locked does not keep the others: each is then written by itself.
    /// Returns how many rows were changed: the leases of the others are stale.
    async fn write_down(
        &self,
        outcome: &Delivery<'_>,
        claimed_at: Instant,
        shutdown: &CancellationToken,
    ) -> Result<u64, DbErr> {
        let (mut left, mut changed, mut failures) = (vec![outcome.clone()], 0, 0);
        loop {
            let mut failed = Vec::new();
            let mut last_error = None;
            for outcome in left {
                match outcome.write(&self.database.write).await {
                    Ok(rows) => changed += rows,
                    // Each may have waited for a lock.
                    Err(error) if shutdown.is_cancelled() || claimed_at.elapsed() >= self.policy.lease => {
                        return Err(error);
                    }
                    Err(error) => {
                        failed.extend(if is_about_rows(&error) { outcome.row_by_row() } else { vec![outcome] });
                        last_error = Some(error);
                    }
                }
            }
            let Some(error) = last_error else { return Ok(changed) };
            // The readiness check logs an outage, once.
            if is_unavailable(&error) {
                tracing::debug!(%error, "an outcome was not written; trying again");
            } else {
                tracing::warn!(%error, "an outcome was not written; trying again");
            }
            failures += 1;
            sleep(database_delay(failures)).await;
            left = failed;
        }
    }
}

impl From<&Lease> for Payment {
    fn from(lease: &Lease) -> Self {
        Self { appointment_id: lease.appointment_id, total_price: lease.total_price_cents }
    }
}
