//! When to send again: pure values.

use std::time::Duration;

/// After a failure of the destination a row is due again in 4 to 5 s: soon enough that the first
/// success comes within 6 s after finance is back, and not all rows of an outage at once.
const DESTINATION_DELAY: Duration = Duration::from_secs(5);
const DESTINATION_JITTER: f64 = 0.2;
/// After a refusal a row is due again in 5 s, 10 s, 20 s and so on up to an hour; of each delay
/// between half and all.
const FIRST_REFUSAL_DELAY: Duration = Duration::from_secs(5);
const MAX_REFUSAL_DELAY: Duration = Duration::from_hours(1);

/// How the relay works.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The longest time between two looks for what is due.
    pub poll_interval: Duration,
    /// How long a claimed row belongs to the relay that claimed it. A call takes a few seconds at
    /// most, so that a dead relay's rows are taken over soon.
    pub lease: Duration,
    /// How long one call of finance may take.
    pub request_limit: Duration,
    /// How many rows are claimed and sent at once: no more are claimed than can be sent.
    pub slots: u64,
}

impl Policy {
    /// The policy in use, for a poll interval.
    #[must_use]
    pub fn new(poll_interval: Duration) -> Self {
        Self { poll_interval, lease: Duration::from_secs(30), request_limit: Duration::from_secs(8), slots: 16 }
    }

    /// Until when after its claim a row may still be sent: later, the lease could end during the call.
    #[must_use]
    pub fn latest_send(&self) -> Duration {
        // The clocks of the process and of the database do not run exactly alike.
        const MARGIN: Duration = Duration::from_secs(2);
        self.lease.saturating_sub(self.request_limit + MARGIN)
    }
}

/// The delay after the destination failed. `random` is from 0 to 1.
#[must_use]
pub fn destination_delay(random: f64) -> Duration {
    DESTINATION_DELAY.mul_f64(1.0 - DESTINATION_JITTER * random.clamp(0.0, 1.0))
}

/// The delay after finance refused the row for the `rejections`th time. `random` is from 0 to 1.
#[must_use]
pub fn refusal_delay(rejections: i32, random: f64) -> Duration {
    let doublings = u32::try_from(rejections.saturating_sub(1)).unwrap_or(0);
    let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
    let delay = FIRST_REFUSAL_DELAY.checked_mul(factor).unwrap_or(MAX_REFUSAL_DELAY).min(MAX_REFUSAL_DELAY);
    delay.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refusals_are_retried_after_5_10_20_seconds_up_to_an_hour() {
        let delays = [1, 2, 3, 4, 10, 11, i32::MAX].map(|rejections| refusal_delay(rejections, 1.0).as_secs());
        assert_eq!(delays, [5, 10, 20, 40, 2560, 3600, 3600]);
    }

    #[test]
    fn a_call_that_starts_in_time_ends_within_its_lease() {
        let policy = Policy::new(Duration::from_secs(5));
        assert!(policy.latest_send() + policy.request_limit < policy.lease);
        assert!(policy.latest_send() > Duration::ZERO);
    }

    proptest! {
        #[test]
        fn delays_stay_in_range_and_never_shrink(rejections in i32::MIN..i32::MAX, random in 0.0..=1.0_f64) {
            let delay = refusal_delay(rejections, random);
            prop_assert!(delay >= FIRST_REFUSAL_DELAY / 2 && delay <= MAX_REFUSAL_DELAY);
            prop_assert!(delay <= refusal_delay(rejections + 1, random));
            let delay = destination_delay(random);
            prop_assert!(delay >= Duration::from_secs(4) && delay <= Duration::from_secs(5));
        }
    }
}
