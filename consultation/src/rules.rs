//! The price of a consultation, in exact decimals.
//!
//! Up to one hour costs one hour. Beyond, hours are rounded to two decimals, half to even, and so is
//! their product with the price per hour: the rule of the system that this one succeeds.

use chrono::TimeDelta;
use entity::{Money, MoneyError};
use rust_decimal::Decimal;

const MILLISECONDS_PER_HOUR: i64 = 3_600_000;

/// The price of a consultation that took `duration`, which counts to the millisecond.
///
/// # Errors
/// When the price would be above [`Money::MAX`].
pub fn price(duration: TimeDelta, price_per_hour: Money) -> Result<Money, MoneyError> {
    let hours = Decimal::from(duration.num_milliseconds()) / Decimal::from(MILLISECONDS_PER_HOUR);
    let hours = hours.round_dp(2).max(Decimal::ONE);
    let price = hours.checked_mul(price_per_hour.into()).ok_or(MoneyError::TooLarge)?;
    Money::try_from(price.round_dp(2))
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;
    use proptest::prelude::*;

    fn money(text: &str) -> Money {
        Money::try_from(text.parse::<Decimal>().expect("a decimal")).expect("money")
    }

    #[test]
    fn the_price_table() {
        let minutes = |minutes| TimeDelta::minutes(minutes);
        let table = [
            (TimeDelta::milliseconds(1), "200.00"),
            (minutes(30), "200.00"),
            (minutes(60), "200.00"),
            (minutes(60) + TimeDelta::milliseconds(1), "200.00"),
            // 1.005 hours: half to even gives 1.00, a millisecond more gives 1.01.
            (minutes(60) + TimeDelta::seconds(18), "200.00"),
            (minutes(60) + TimeDelta::milliseconds(18_001), "202.00"),
            (minutes(60) + TimeDelta::seconds(19), "202.00"),
            // 1.015 hours: half to even gives 1.02.
            (minutes(60) + TimeDelta::seconds(54), "204.00"),
            (minutes(65), "216.00"),
            (minutes(90), "300.00"),
            (TimeDelta::days(365), "1752000.00"),
        ];
        for (duration, expected) in table {
            assert_eq!(price(duration, money("200.00")), Ok(money(expected)), "{duration}");
        }
    }

    #[test]
    fn the_product_is_rounded_half_to_even_too() {
        // 1.50 h x 0.01 = 0.015 and 2.50 h x 0.01 = 0.025.
        assert_eq!(price(TimeDelta::minutes(90), money("0.01")), Ok(money("0.02")));
        assert_eq!(price(TimeDelta::minutes(150), money("0.01")), Ok(money("0.02")));
    }

    #[test]
    fn a_price_beyond_the_largest_amount_is_refused() {
        assert_eq!(price(TimeDelta::hours(4_999_999), money("200.00")), Ok(money("999999800.00")));
        assert_eq!(price(TimeDelta::hours(5_000_000), money("200.00")), Err(MoneyError::TooLarge));
        assert_eq!(price(TimeDelta::MAX, Money::MAX), Err(MoneyError::TooLarge));
    }

    /// The quotient, rounded half to even.
    fn divided(dividend: i128, divisor: i128) -> i128 {
        let (quotient, rest) = (dividend / divisor, dividend % divisor);
        match (2 * rest).cmp(&divisor) {
            Ordering::Less => quotient,
            Ordering::Equal => quotient + quotient % 2,
            Ordering::Greater => quotient + 1,
        }
    }

    /// The rule in integers: hundredths of hours, then cents.
    fn in_integers(milliseconds: i64, cents: i64) -> i128 {
        let hundredths = divided(milliseconds.into(), 36_000).max(100);
        divided(hundredths * i128::from(cents), 100)
    }

    proptest! {
        #[test]
        fn the_price_is_that_of_integers(milliseconds in 1..100_000_000_000_i64, cents in 0..=Money::MAX.cents()) {
            let per_hour = Money::try_from(Decimal::new(cents, 2)).expect("money");
            let expected = in_integers(milliseconds, cents);
            match price(TimeDelta::milliseconds(milliseconds), per_hour) {
                Ok(price) => prop_assert_eq!(i128::from(price.cents()), expected),
                Err(error) => prop_assert!(expected > Money::MAX.cents().into(), "{}", error),
            }
        }

        #[test]
        fn longer_never_costs_less_and_nothing_costs_less_than_an_hour(a in 1..10_000_000_000_i64, b in 1..10_000_000_000_i64, per_hour in 0..=100_000_i64) {
            let per_hour = Money::try_from(Decimal::new(per_hour, 2)).expect("money");
            let of = |milliseconds| price(TimeDelta::milliseconds(milliseconds), per_hour).expect("a price");
            prop_assert!(of(a.min(b)) <= of(a.max(b)));
            prop_assert!(of(a) >= per_hour);
        }
    }
}
