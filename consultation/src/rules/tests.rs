//! The rules in tables, and the price once more in integers.

mod corrections;

use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;

fn money(text: &str) -> Money {
    Money::try_from(text.parse::<Decimal>().expect("a decimal")).expect("money")
}

/// A consultation that has just started, and the default rules.
fn started() -> (Consultation, Rules) {
    let start_date = "2021-08-02T12:00:00Z".parse().expect("a date");
    let [id, physician_id, patient_id] = [Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3)];
    let consultation = Consultation {
        id,
        physician_id,
        patient_id,
        start_date,
        end_date: None,
        price_cents: None,
        started_by: None,
        finished_by: None,
        cancel_reason: None,
        cancelled_by: None,
        origin: None,
    };
    let (price_per_hour, longest, longest_backdate) = (money("200.00"), TimeDelta::hours(24), TimeDelta::hours(24));
    let rules = Rules { price_per_hour, longest, longest_backdate };
    (consultation, rules)
}

#[test]
fn a_patient_is_in_one_consultation_at_a_time() {
    let (stored, _) = started();
    assert_eq!(start(stored.id, &stored), Ok(stored.clone()), "also when the start is written again");
    assert_eq!(start(Uuid::from_u128(4), &stored), Err(StartRefusal::PatientInConsultation(stored.into())));
}

#[test]
fn a_finished_consultation_is_not_finished_again() {
    let (mut finished, rules) = started();
    finished.end_date = Some(finished.start_date + TimeDelta::hours(1));
    let now = finished.start_date + TimeDelta::hours(2);
    assert_eq!(finish(&finished, None, now, &rules), Err(FinishRefusal::AlreadyFinished(finished.into())));
}

#[test]
fn an_end_is_after_the_start_and_within_the_longest_duration() {
    let (consultation, rules) = started();
    let (start, longest, millisecond) = (consultation.start_date, rules.longest, TimeDelta::milliseconds(1));
    let too_late = InvalidEndDate::TooLate { start, longest };
    let table = [
        (TimeDelta::days(-400_000), Err(InvalidEndDate::NotAfterStart)),
        (-millisecond, Err(InvalidEndDate::NotAfterStart)),
        (TimeDelta::zero(), Err(InvalidEndDate::NotAfterStart)),
        (millisecond, Ok("200.00")),
        (TimeDelta::minutes(65), Ok("216.00")),
        (longest, Ok("4800.00")),
        (longest + millisecond, Err(too_late)),
        (TimeDelta::days(400_000), Err(too_late)),
    ];
    for (duration, expected) in table {
        let date = start + duration;
        let expected = expected.map(|price| End { date, price: money(price) }).map_err(FinishRefusal::InvalidEndDate);
        assert_eq!(finish(&consultation, Some(date), start, &rules), expected, "{duration}");
        // An omitted end is judged like a requested one, except that a clock behind the start refuses nothing.
        if duration > TimeDelta::zero() {
            assert_eq!(finish(&consultation, None, date, &rules), expected, "{duration}");
        }
    }
}

#[test]
fn a_clock_behind_the_start_ends_a_consultation_a_millisecond_after_it() {
    let (consultation, rules) = started();
    for behind in [TimeDelta::zero(), TimeDelta::seconds(5), TimeDelta::days(365)] {
        let end = finish(&consultation, None, consultation.start_date - behind, &rules).expect("an end");
        assert_eq!(end.date, consultation.start_date + TimeDelta::milliseconds(1));
    }
}

#[test]
fn an_end_whose_price_has_no_place_in_the_database_is_refused() {
    let (consultation, rules) = started();
    let rules = Rules { price_per_hour: Money::MAX, ..rules };
    let refusal = FinishRefusal::InvalidEndDate(InvalidEndDate::PriceTooLarge);
    let end = consultation.start_date + TimeDelta::hours(2);
    assert_eq!(finish(&consultation, Some(end), end, &rules), Err(refusal));
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
    fn whatever_is_requested_an_end_obeys_the_rules(
        requested in proptest::option::of(-200_000_000..200_000_000_i64),
        now in -200_000_000..200_000_000_i64,
    ) {
        let (consultation, rules) = started();
        let after = |milliseconds| consultation.start_date + TimeDelta::milliseconds(milliseconds);
        let duration = requested.unwrap_or(now.max(1));
        let is_valid = (1..=rules.longest.num_milliseconds()).contains(&duration);
        match finish(&consultation, requested.map(after), after(now), &rules) {
            Ok(end) => {
                prop_assert!(is_valid);
                prop_assert_eq!(end.date, after(duration));
                prop_assert_eq!(i128::from(end.price.cents()), in_integers(duration, rules.price_per_hour.cents()));
            }
            Err(refusal) => prop_assert!(!is_valid, "{:?}", refusal),
        }
    }

    #[test]
    fn longer_never_costs_less_and_nothing_costs_less_than_an_hour(
        a in 1..10_000_000_000_i64,
        b in 1..10_000_000_000_i64,
        per_hour in 0..=100_000_i64,
    ) {
        let per_hour = Money::try_from(Decimal::new(per_hour, 2)).expect("money");
        let of = |milliseconds| price(TimeDelta::milliseconds(milliseconds), per_hour).expect("a price");
        prop_assert!(of(a.min(b)) <= of(a.max(b)));
        prop_assert!(of(a) >= per_hour);
    }
}
