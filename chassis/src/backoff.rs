//! How long to wait after failures: pure values.

use std::time::Duration;

/// After a failure of the database its next call is made after 0.1 s, 0.2 s and so on up to 5 s.
const FIRST_DATABASE_DELAY: Duration = Duration::from_millis(100);
const MAX_DATABASE_DELAY: Duration = Duration::from_secs(5);

/// The delay after the database failed for the `failures`th time in a row.
#[must_use]
pub fn database_delay(failures: u32) -> Duration {
    doubled(FIRST_DATABASE_DELAY, failures, MAX_DATABASE_DELAY)
}

/// `first` at the first failure, twice as long at each further one, at most `max`.
#[must_use]
pub fn doubled(first: Duration, failures: u32, max: Duration) -> Duration {
    let factor = 2_u32.checked_pow(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    first.checked_mul(factor).map_or(max, |delay| delay.min(max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_fails_is_called_again_after_100_ms_up_to_5_s() {
        let delays = [1, 2, 3, 6, 7, u32::MAX].map(|failures| database_delay(failures).as_millis());
        assert_eq!(delays, [100, 200, 400, 3200, 5000, 5000]);
    }
}
