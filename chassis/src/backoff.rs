//! Delays after failures, as pure functions.

use std::time::Duration;

/// The delay after a database failure doubles from 0.1 s up to 5 s.
const FIRST_DATABASE_DELAY: Duration = Duration::from_millis(100);
const MAX_DATABASE_DELAY: Duration = Duration::from_secs(5);

/// The delay after `failures` failures of the database in a row.
#[must_use]
pub fn database_delay(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    FIRST_DATABASE_DELAY.saturating_mul(doubled).min(MAX_DATABASE_DELAY)
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
