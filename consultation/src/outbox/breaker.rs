//! The circuit breaker of a destination, as a pure value: it decides what may be sent now.
//!
//! ```text
//!            5 failures in a row, or one with a hint
//!  closed ----------------------------------------------> open: one probe each 5 s
//!     ^                                                      |
//!     +------------------------------------------------------+
//!       success; then twice as much after each, up to the limits
//! ```
//!
//! It counts failures of the destination only. A refusal is an answer: the destination works.

use std::time::Duration;

use tokio::time::Instant;

use super::policy::DESTINATION_RETRY;
use crate::finance_client::{DestinationFailed, MAX_PAYMENTS};

/// Fewer would open it on a single blip; more would waste calls on a dead destination.
const FAILURES_TO_OPEN: u32 = 5;
/// Requests in flight. While one waits for a commit in finance, others are on their way.
const MAX_REQUESTS: usize = 8;

/// Permission to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permit {
    /// One request with at most this many payments.
    Batch(u64),
    /// One request with one payment, to test whether the destination is back.
    Probe,
    /// Nothing yet.
    Denied,
}

/// The meaning of a failure for the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// Nothing.
    None,
    /// It fails too, until someone changes a setting.
    Misconfigured,
    /// The destination asks not to be called before this time has passed.
    RetryAfter(Duration),
}

impl From<&DestinationFailed> for Hint {
    fn from(failure: &DestinationFailed) -> Self {
        match failure.retry_after {
            _ if failure.is_misconfigured => Self::Misconfigured,
            Some(pause) => Self::RetryAfter(pause),
            None => Self::None,
        }
    }
}

/// Decides whether the destination may be called, and with how many requests and payments.
#[derive(Clone, Debug)]
pub(super) struct Breaker {
    failures_in_a_row: u32,
    /// Earliest start of the next probe; `None` while the breaker is closed.
    next_probe: Option<Instant>,
    requests: usize,
    payments: u64,
}

impl Default for Breaker {
    /// Closed, at its limits.
    fn default() -> Self {
        Self { failures_in_a_row: 0, next_probe: None, requests: MAX_REQUESTS, payments: MAX_PAYMENTS }
    }
}

impl Breaker {
    /// Returns what may be sent `now`. A probe is used up by this call, unless [`Breaker::give_back`] returns it.
    pub(super) fn permit(&mut self, now: Instant) -> Permit {
        match self.next_probe {
            None => Permit::Batch(self.payments),
            Some(start) if start <= now => {
                self.next_probe = Some(now + DESTINATION_RETRY);
                Permit::Probe
            }
            Some(_) => Permit::Denied,
        }
    }

    /// A probe found nothing to send: the next may start at once.
    pub(super) fn give_back(&mut self, permit: Permit, now: Instant) {
        if permit == Permit::Probe && self.is_open() {
            self.next_probe = Some(now);
        }
    }

    /// Whether only probes are permitted.
    #[must_use]
    pub(super) fn is_open(&self) -> bool {
        self.next_probe.is_some()
    }

    /// Earliest start of the next probe; `None` while the breaker is closed.
    #[must_use]
    pub(super) fn next_probe(&self) -> Option<Instant> {
        self.next_probe
    }

    /// Number of requests that may be in flight.
    #[must_use]
    pub(super) fn requests(&self) -> usize {
        self.requests
    }

    /// Records a success. Returns whether it closed the breaker.
    pub(super) fn succeeded(&mut self) -> bool {
        let closed = self.next_probe.take().is_some();
        self.failures_in_a_row = 0;
        if !closed {
            self.requests = (self.requests * 2).min(MAX_REQUESTS);
            self.payments = (self.payments * 2).min(MAX_PAYMENTS);
        }
        closed
    }

    /// Records a failure. Later requests are smaller: if one payment makes the destination fail, this separates the
    /// others from it. Returns whether the failure opened the breaker.
    pub(super) fn failed(&mut self, hint: Hint, now: Instant) -> bool {
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        (self.requests, self.payments) = ((self.requests / 2).max(1), (self.payments / 2).max(1));
        let pause = match hint {
            Hint::RetryAfter(pause) => pause,
            Hint::Misconfigured => DESTINATION_RETRY,
            Hint::None if self.failures_in_a_row >= FAILURES_TO_OPEN => DESTINATION_RETRY,
            Hint::None => return false,
        };
        let opened = !self.is_open();
        if opened {
            (self.requests, self.payments) = (1, 1);
        }
        if opened || matches!(hint, Hint::RetryAfter(_)) {
            self.next_probe = self.next_probe.max(Some(now + pause));
        }
        opened
    }
}

#[cfg(test)]
mod tests;
