//! Money: an exact, non-negative amount, stored as integer cents on both databases.
//!
//! A decimal column is no option: SQLite stores it as a binary float.

use std::str::FromStr;

use rust_decimal::Decimal;
use sea_orm::DeriveValueType;

/// An amount from 0.00 to 999999999.99, in the [`Currency`](crate::Currency) of the deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct Money(i64);

/// Refusal of a decimal that is no amount of money. Nothing is ever rounded into range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Below 0.00.
    #[error("must not be negative")]
    Negative,
    /// Above [`Money::MAX`].
    #[error("must be at most {}", Money::MAX)]
    TooLarge,
    /// More than two decimals that are not zero.
    #[error("must have at most two decimals")]
    TooPrecise,
}

/// Refusal of a text that is no amount of money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseMoneyError {
    /// Not a decimal in plain digits.
    #[error("want an amount like 200.00")]
    NotADecimal,
    /// A decimal that is no amount.
    #[error(transparent)]
    Refused(#[from] MoneyError),
}

impl Money {
    /// 0.00.
    pub const ZERO: Self = Self(0);
    /// The largest amount: 999999999.99, the maximum of a `decimal(11, 2)` column.
    pub const MAX: Self = Self(99_999_999_999);

    /// The amount in cents.
    #[must_use]
    pub fn cents(self) -> i64 {
        self.0
    }
}

impl TryFrom<Decimal> for Money {
    type Error = MoneyError;

    fn try_from(amount: Decimal) -> Result<Self, MoneyError> {
        let amount = amount.normalize();
        if amount < Decimal::ZERO {
            return Err(MoneyError::Negative);
        }
        if amount > Decimal::from(Self::MAX) {
            return Err(MoneyError::TooLarge);
        }
        if amount.scale() > 2 {
            return Err(MoneyError::TooPrecise);
        }
        let cents = amount * Decimal::ONE_HUNDRED;
        i64::try_from(cents).map(Self).map_err(|_| MoneyError::TooLarge)
    }
}

impl FromStr for Money {
    type Err = ParseMoneyError;

    fn from_str(text: &str) -> Result<Self, ParseMoneyError> {
        let amount = Decimal::from_str_exact(text).map_err(|_| ParseMoneyError::NotADecimal)?;
        Ok(Self::try_from(amount)?)
    }
}

impl From<Money> for Decimal {
    fn from(money: Money) -> Self {
        Decimal::new(money.0, 2)
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Decimal::from(*self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(text: &str) -> Result<Money, MoneyError> {
        Money::try_from(text.parse::<Decimal>().expect("a decimal"))
    }

    #[test]
    fn only_amounts_that_are_exact_in_cents_are_money() {
        let accepted =
            [("0", 0), ("-0.00", 0), ("0.01", 1), ("10.5", 1050), ("1.500", 150), ("999999999.99", 99_999_999_999)];
        for (text, cents) in accepted {
            assert_eq!(money(text).map(Money::cents), Ok(cents), "{text}");
        }
        let refused = [
            ("-0.01", MoneyError::Negative),
            ("1.005", MoneyError::TooPrecise),
            ("0.001", MoneyError::TooPrecise),
            ("1000000000", MoneyError::TooLarge),
            ("999999999.991", MoneyError::TooLarge),
            ("79228162514264337593543950335", MoneyError::TooLarge),
        ];
        for (text, error) in refused {
            assert_eq!(money(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_text_is_money_if_it_is_an_amount_in_plain_digits() {
        assert_eq!("216.5".parse::<Money>().map(Money::cents), Ok(21_650));
        assert_eq!("216.505".parse::<Money>(), Err(MoneyError::TooPrecise.into()));
        for text in ["", "R$ 2", "1e3", "NaN", "1.0000000000000000000000000000000001"] {
            assert_eq!(text.parse::<Money>(), Err(ParseMoneyError::NotADecimal), "{text}");
        }
    }

    #[test]
    fn money_is_shown_with_two_decimals() {
        assert_eq!(money("216").expect("money").to_string(), "216.00");
        assert_eq!(Money::MAX.to_string(), "999999999.99");
    }

    proptest! {
        #[test]
        fn every_amount_survives_being_shown_and_read(cents in 0..=Money::MAX.cents()) {
            prop_assert_eq!(money(&Money(cents).to_string()), Ok(Money(cents)));
        }

        #[test]
        fn every_amount_survives_being_a_decimal(cents in 0..=Money::MAX.cents()) {
            prop_assert_eq!(Money::try_from(Decimal::from(Money(cents))), Ok(Money(cents)));
        }

        #[test]
        fn a_decimal_is_money_if_it_is_whole_cents_in_range_and_refused_otherwise(
            mantissa in prop_oneof![-MAX_MANTISSA..=MAX_MANTISSA, -1_000_000..=1_000_000_i128, round_mantissas()],
            scale in 0..=Decimal::MAX_SCALE,
        ) {
            let amount = Decimal::from_i128_with_scale(mantissa, scale);
            prop_assert_eq!(Money::try_from(amount).map(Money::cents), cents_in_integers(mantissa, scale));
        }
    }

    /// The largest mantissa of a decimal: 96 bits.
    const MAX_MANTISSA: i128 = (1 << 96) - 1;

    /// Few digits and many zeros: exact in cents even at a large scale.
    fn round_mantissas() -> impl Strategy<Value = i128> {
        (-1_000..=1_000_i128, 0..=25_u32).prop_map(|(digits, zeros)| digits * 10_i128.pow(zeros))
    }

    /// The rule once more, without decimals.
    fn cents_in_integers(mantissa: i128, scale: u32) -> Result<i64, MoneyError> {
        let unit = 10_i128.pow(scale);
        let (cents, rest) = (mantissa * 100 / unit, mantissa * 100 % unit);
        let largest = i128::from(Money::MAX.cents());
        if mantissa < 0 {
            Err(MoneyError::Negative)
        } else if cents > largest || cents == largest && rest > 0 {
            Err(MoneyError::TooLarge)
        } else if rest > 0 {
            Err(MoneyError::TooPrecise)
        } else {
            i64::try_from(cents).map_err(|_| MoneyError::TooLarge)
        }
    }
}
