//! One round: claim, send, store the results.

use chassis::{
    backoff::database_delay,
    database::{is_about_rows, is_unavailable},
};
use sea_orm::DbErr;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{
    super::{
        breaker::Permit,
        policy::{destination_delay, refusal_delay},
        shortened,
        store::{self, Due, Failure, Lease},
    },
    Relay,
    delivery::{Delivery, Tick},
    destination::Destination,
};
use crate::finance_client::{Payment, PaymentResult};

impl Relay {
    /// Claims `due` rows, as many as the breaker permits in one request, sends them and stores the results. After
    /// `shutdown` nothing more is sent.
    ///
    /// # Errors
    /// When the database fails. Writing a result is repeated until its lease ends. Then the row is claimed again.
    pub async fn tick(&self, due: Due, shutdown: &CancellationToken) -> Result<Tick, DbErr> {
        // Read before the claim, so that the lease ends later than this clock tells.
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
            // Now, not at the end of this round: its request may hang while more rows are due.
            self.more.notify_one();
        }
        let mut tick = Tick { claimed: leases.len(), has_more, ..Tick::default() };
        let called_at = Instant::now();
        let destination = if shutdown.is_cancelled() { Ok(None) } else { self.destination(&leases[0]).await };
        let deliveries = match &destination {
            // By the monotonic clock. Later, the lease could end during the call, and another relay could send the row.
            Ok(Some(destination)) if claimed_at.elapsed() <= self.policy.latest_send() => {
                self.send_traced(leases, destination, called_at).await
            }
            _ => {
                self.breaker().give_back(permit, Instant::now());
                vec![Delivery::Released(leases.iter().collect())]
            }
        };
        for delivery in deliveries.iter().filter(|delivery| delivery.rows() > 0) {
            let written = self.write_down(delivery, claimed_at, shutdown).await;
            // Also after a failure: the result may have been stored nevertheless.
            self.changes.publish(&delivery.appointment_ids());
            let written = usize::try_from(written?).unwrap_or(usize::MAX);
            tick.count(delivery, written);
            self.meter.wrote(delivery, written);
        }
        tracing::debug!(?tick, "relayed");
        destination.map(|_| tick)
    }

    async fn claim(&self, permit: Permit, due: Due) -> Result<Vec<Lease>, DbErr> {
        let (database, lease) = (&self.database.write, self.policy.lease);
        match permit {
            Permit::Batch(limit) => store::claim(database, due, limit, lease).await,
            Permit::Probe => match store::claim(database, Due::NeverRefused, 1, lease).await? {
                // Without other rows a refused one serves as the probe. One is due at least once an hour.
                none if none.is_empty() => store::claim(database, Due::All, 1, lease).await,
                found => Ok(found),
            },
            Permit::Denied => Ok(Vec::new()),
        }
    }

    /// Sends the rows in one request. Infallible: failures are results too.
    pub(super) async fn send<'a>(
        &self,
        leases: &'a [Lease],
        destination: &Destination,
        called_at: Instant,
    ) -> Vec<Delivery<'a>> {
        let _in_flight = self.meter.request();
        let payments: Vec<_> = leases.iter().map(Payment::from).collect();
        let results = match destination {
            Ok(instance_id) => self.finance.record_payments(&payments, *instance_id).await,
            Err(failed) => Err(failed.clone()),
        };
        self.note(results.as_ref().err());
        self.meter.called(self.breaker().is_open(), results.as_ref().err());
        let is_partial = results.is_ok();
        let results = results.unwrap_or_else(|error| vec![PaymentResult::Failed(error.message); leases.len()]);

        let (mut confirmed, mut failed, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        let retry = destination_delay(called_at.elapsed(), fastrand::f64());
        for (lease, result) in leases.iter().zip(results) {
            match result {
                PaymentResult::Confirmed => confirmed.push(lease),
                PaymentResult::Failed(error) => {
                    if is_partial {
                        tracing::warn!(appointment_id = %lease.appointment_id, error = shortened(&error), "finance failed at one payment; it is sent again");
                    }
                    failed.push(Failure { lease, delay: retry, error });
                }
                PaymentResult::Refused(error) => {
                    log_refusal(lease, &error);
                    let delay = refusal_delay(lease.rejections.saturating_add(1), fastrand::f64());
                    refused.push(Failure { lease, delay, error });
                }
            }
        }
        vec![Delivery::Confirmed(confirmed), Delivery::Postponed(failed), Delivery::Parked(refused)]
    }

    /// Stores a result, and retries while the database fails: a lost result costs the rest of a lease. A repeated write
    /// changes nothing. When another session has locked a row, each row is written by itself. Returns the number of
    /// changed rows. The leases of the others are stale.
    async fn write_down(
        &self,
        delivery: &Delivery<'_>,
        claimed_at: Instant,
        shutdown: &CancellationToken,
    ) -> Result<u64, DbErr> {
        let (mut left, mut changed, mut failures) = (vec![delivery.clone()], 0, 0);
        loop {
            let mut failed = Vec::new();
            let mut last_error = None;
            for delivery in left {
                match delivery.write(&self.database.write).await {
                    Ok(rows) => changed += rows,
                    // Each write may have waited for a lock.
                    Err(error) if shutdown.is_cancelled() || claimed_at.elapsed() >= self.policy.lease => {
                        return Err(error);
                    }
                    Err(error) => {
                        failed.extend(if is_about_rows(&error) { delivery.row_by_row() } else { vec![delivery] });
                        last_error = Some(error);
                    }
                }
            }
            let Some(error) = last_error else { return Ok(changed) };
            // The readiness check logs an outage, once.
            if is_unavailable(&error) {
                tracing::debug!(%error, "a result was not written; trying again");
            } else {
                tracing::warn!(%error, "a result was not written; trying again");
            }
            failures += 1;
            sleep(database_delay(failures)).await;
            left = failed;
        }
    }
}

/// The first refusal wants an operator, once. Later ones are counted: the gauge of parked payments keeps its alert.
fn log_refusal(lease: &Lease, error: &str) {
    let (appointment_id, error) = (lease.appointment_id, shortened(error));
    if lease.rejections == 0 {
        tracing::error!(%appointment_id, error, "finance refused a payment; it is parked");
    } else {
        tracing::debug!(%appointment_id, error, rejections = lease.rejections, "finance refused a parked payment again");
    }
}
