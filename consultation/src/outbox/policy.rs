//! The delays of the relay, as pure functions.

use std::time::Duration;

use crate::finance_client::REQUEST_TIMEOUT;

/// After a failure of the destination a row is due again 4 to 4.8 s after it was sent: before the relay polls again
/// after [`DESTINATION_RETRY`], and not at the same time in all relays.
const MIN_DESTINATION_DELAY: Duration = Duration::from_secs(4);
const DESTINATION_JITTER: Duration = Duration::from_millis(800);
/// The pause before a destination that failed is called again. The first success comes within 6 s after the destination
/// is back, however long it was gone.
pub(super) const DESTINATION_RETRY: Duration = Duration::from_secs(5);
/// After a refusal a row is due again in 5 s, 10 s, 20 s and so on up to an hour. Jitter takes up to half of a delay.
const FIRST_REFUSAL_DELAY: Duration = Duration::from_secs(5);
const MAX_REFUSAL_DELAY: Duration = Duration::from_hours(1);
/// Longest possible delay of a row that was never refused. Such a row is due within 5 s; the rest is slack for small
/// steps of the clock. A row that is due later was written while the database's clock was ahead.
pub(super) const LONGEST_DELAY: Duration = Duration::from_secs(10);
/// The same for a refused row. It is due within an hour.
pub(super) const LONGEST_REFUSAL_DELAY: Duration = Duration::from_mins(61);
/// Duration of a claim. A call takes a few seconds at most, so the rows of a dead relay are taken over soon.
pub(super) const LEASE: Duration = Duration::from_secs(30);

/// The intervals and timeouts of the relay.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The longest time between two polls for due rows.
    pub poll_interval: Duration,
    /// Duration of a claim.
    pub lease: Duration,
    /// The longest duration of a call to finance.
    pub request_timeout: Duration,
}

impl Policy {
    /// The policy of the service, with this poll interval.
    #[must_use]
    pub fn new(poll_interval: Duration) -> Self {
        Self { poll_interval, lease: LEASE, request_timeout: REQUEST_TIMEOUT }
    }

    /// The greatest age of a claim at which its rows may be sent. Later, the lease could end during the call.
    #[must_use]
    pub fn latest_send(&self) -> Duration {
        // The clocks of the process and of the database do not run at the same speed.
        const MARGIN: Duration = Duration::from_secs(2);
        self.lease.saturating_sub(self.request_timeout + MARGIN)
    }
}

/// The delay from now after the destination failed in a call made `elapsed` ago. `random` is from 0 to 1.
#[must_use]
pub(super) fn destination_delay(elapsed: Duration, random: f64) -> Duration {
    let jitter = DESTINATION_JITTER.mul_f64(random.clamp(0.0, 1.0));
    (MIN_DESTINATION_DELAY + jitter).saturating_sub(elapsed)
}

/// The delay after finance refused the row for the `rejections`th time. `random` is from 0 to 1.
#[must_use]
pub(super) fn refusal_delay(rejections: i32, random: f64) -> Duration {
    let doubled = 2_u32.saturating_pow(u32::try_from(rejections).unwrap_or(0).saturating_sub(1));
    let delay = FIRST_REFUSAL_DELAY.saturating_mul(doubled).min(MAX_REFUSAL_DELAY);
    delay.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chassis::backoff::database_delay;
    use proptest::prelude::*;

    #[test]
    fn refusals_are_retried_after_5_10_20_seconds_up_to_an_hour() {
        let delays = [1, 2, 3, 4, 10, 11, i32::MAX].map(|rejections| refusal_delay(rejections, 1.0).as_secs());
        assert_eq!(delays, [5, 10, 20, 40, 2560, 3600, 3600]);
    }

    #[test]
    fn a_call_that_starts_in_time_ends_within_its_lease() {
        let policy = Policy::new(Duration::from_secs(5));
        assert!(policy.latest_send() + policy.request_timeout < policy.lease);
        assert!(policy.latest_send() > Duration::ZERO);
        assert!(policy.request_timeout <= DESTINATION_RETRY, "one that hangs does not delay the next");
    }

    proptest! {
        #[test]
        fn delays_stay_in_range_and_never_shrink(rejections in i32::MIN..i32::MAX, failures: u32, random in 0.0..=1.0_f64) {
            let delay = refusal_delay(rejections, random);
            prop_assert!(delay >= FIRST_REFUSAL_DELAY / 2 && delay < LONGEST_REFUSAL_DELAY);
            prop_assert!(delay <= refusal_delay(rejections + 1, random));
            prop_assert!(database_delay(failures) <= database_delay(failures.saturating_add(1)));
        }

        #[test]
        fn a_row_whose_destination_failed_is_due_before_the_relay_looks_again(
            elapsed in 0..30_000_u64,
            random in 0.0..=1.0_f64,
        ) {
            let elapsed = Duration::from_millis(elapsed);
            let due = elapsed + destination_delay(elapsed, random);
            prop_assert!(due >= MIN_DESTINATION_DELAY.max(elapsed));
            prop_assert!(destination_delay(elapsed, random) < LONGEST_DELAY);
            prop_assert!(due < DESTINATION_RETRY.max(elapsed + Duration::from_nanos(1)));
        }
    }
}
