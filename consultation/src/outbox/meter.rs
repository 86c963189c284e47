//! Metrics of the outbox: what became of payments, and how long they took.

use std::{sync::atomic::AtomicU64, time::Duration};

use chassis::{clock, metrics::Metrics};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
};
use uuid::Uuid;

use super::{
    relay::{Delivery, Tick},
    store::Backlog,
};

/// Bounds of delays in seconds, up to four hours: payments wait for finance as long as it is away.
const DELAYS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 600.0, 3_600.0, 14_400.0];

/// Metrics of the relay and of the backlog.
#[derive(Clone, Debug)]
pub struct Meter {
    outcomes: Family<Outcome, Counter>,
    delays: Histogram,
    is_breaker_open: Gauge,
    requests_in_flight: Gauge,
    last_round: Gauge<f64, AtomicU64>,
    payments: Family<State, Gauge>,
    oldest_pending_age: Gauge<f64, AtomicU64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

/// Metrics that nobody reads.
impl Default for Meter {
    fn default() -> Self {
        Self {
            outcomes: Family::default(),
            delays: Histogram::new(DELAYS),
            is_breaker_open: Gauge::default(),
            requests_in_flight: Gauge::default(),
            last_round: Gauge::default(),
            payments: Family::default(),
            oldest_pending_age: Gauge::default(),
        }
    }
}

impl Meter {
    /// Adds the metrics. Each outcome begins with 0; what the database holds is not known before it was counted.
    #[must_use]
    pub fn registered(metrics: &Metrics) -> Self {
        let Self { outcomes, delays, is_breaker_open, requests_in_flight, last_round, payments, oldest_pending_age } =
            Self::default();
        for outcome in ["confirmed", "postponed", "parked", "released", "stale"] {
            drop(outcomes.get_or_create(&Outcome { outcome }));
        }
        last_round.set(seconds(clock::now().timestamp_millis()));
        oldest_pending_age.set(f64::NAN);
        Self {
            outcomes: metrics.register("outbox_outcomes", "Results of rows that were claimed", outcomes),
            delays: metrics.register(
                "outbox_delivery_delay_seconds",
                "Time from the finish to the confirmation, by this machine's clock",
                delays,
            ),
            is_breaker_open: metrics.register("outbox_breaker_open", "1 while only probes are sent", is_breaker_open),
            requests_in_flight: metrics.register(
                "outbox_requests_in_flight",
                "Requests that wait for their response",
                requests_in_flight,
            ),
            last_round: metrics.register(
                "outbox_relay_last_round_timestamp_seconds",
                "The relay's last round that did not fail, or wait, in seconds since 1970; at first its start",
                last_round,
            ),
            payments: metrics.register("outbox_payments", "Rows that are not delivered", payments),
            oldest_pending_age: metrics.register(
                "outbox_oldest_pending_age_seconds",
                "Time since the oldest row was made that is neither confirmed nor parked, 0 without one",
                oldest_pending_age,
            ),
        }
    }

    /// The results of `delivery` were stored, of these rows: the leases of the others were stale.
    pub(super) fn wrote(&self, delivery: &Delivery<'_>, written: usize) {
        let mut tick = Tick::default();
        tick.count(delivery, written);
        let Tick { delivered, postponed, parked, released, stale, .. } = tick;
        let outcomes = [
            ("confirmed", delivered),
            ("postponed", postponed),
            ("parked", parked),
            ("released", released),
            ("stale", stale),
        ];
        for (outcome, rows) in outcomes {
            self.outcomes.get_or_create(&Outcome { outcome }).inc_by(rows as u64);
        }
        // Which of them were stale is not known: another replica has measured those.
        if let Delivery::Confirmed(leases) = delivery
            && stale == 0
        {
            self.confirmed(leases.iter().map(|lease| lease.id));
        }
    }

    /// The relay works: a round has ended, or there is none to begin.
    pub(super) fn works(&self) {
        self.last_round.set(seconds(clock::now().timestamp_millis()));
    }

    /// The ids of rows hold the time at which they were made.
    fn confirmed(&self, rows: impl IntoIterator<Item = Uuid>) {
        let now = clock::now().timestamp_millis();
        for made in rows.into_iter().filter_map(clock::time_of) {
            self.delays.observe(seconds(now - made.timestamp_millis()).max(0.0));
        }
    }

    pub(super) fn breaker(&self, is_open: bool) {
        self.is_breaker_open.set(i64::from(is_open));
    }

    /// Counts a request until the value is dropped.
    pub(super) fn request(&self) -> InFlight {
        self.requests_in_flight.inc();
        InFlight(self.requests_in_flight.clone())
    }

    pub(super) fn backlog(&self, backlog: &Backlog) {
        let Backlog { pending, processing, parked, oldest_seconds } = *backlog;
        for (state, rows) in [("pending", pending), ("processing", processing), ("parked", parked)] {
            self.payments.get_or_create(&State { state }).set(rows);
        }
        self.oldest_pending_age.set(oldest_seconds.unwrap_or_default());
    }

    /// The database was away for so long. What was counted before stays, and gets older.
    pub(super) fn no_backlog(&self, since: Duration) {
        let age = self.oldest_pending_age.get();
        if age > 0.0 {
            self.oldest_pending_age.set(age + since.as_secs_f64());
        }
    }
}

pub(super) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of the next centuries are exact")]
fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1_000.0
}

#[cfg(test)]
mod tests;
