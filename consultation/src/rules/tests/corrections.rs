//! Starts that are entered late, and cancellations.

use rstest::rstest;

use super::*;

#[rstest]
#[case::now(0, Ok(()))]
#[case::a_day_ago(86_400_000, Ok(()))]
#[case::more_than_a_day_ago(86_400_001, Err(InvalidStartDate::TooEarly { longest: TimeDelta::hours(24) }))]
fn a_start_may_be_entered_a_day_late_and_not_a_millisecond_more(
    #[case] milliseconds: i64,
    #[case] expected: Result<(), InvalidStartDate>,
) {
    let (Consultation { start_date, .. }, rules) = started();
    let now = start_date + TimeDelta::milliseconds(milliseconds);
    assert_eq!(check_start_date(start_date, now, &rules), expected);
    let rules = Rules { longest_backdate: TimeDelta::zero(), ..rules };
    assert_eq!(check_start_date(start_date, now, &rules), Err(InvalidStartDate::NotAccepted));
}

#[test]
fn a_start_is_not_in_the_future() {
    let (Consultation { start_date, .. }, rules) = started();
    let now = start_date - TimeDelta::milliseconds(1);
    assert_eq!(check_start_date(start_date, now, &rules), Err(InvalidStartDate::InFuture { now }));
}

#[test]
fn only_what_is_in_progress_is_cancelled() {
    let (consultation, rules) = started();
    let now = consultation.start_date + TimeDelta::minutes(3);
    assert_eq!(cancel(&consultation, now), Ok(now));
    let finished = Consultation { end_date: Some(now), price_cents: Some(Money::MAX), ..consultation.clone() };
    assert_eq!(cancel(&finished, now), Err(CancelRefusal::AlreadyFinished(finished.into())));
    let cancelled = Consultation { end_date: Some(now), cancel_reason: Some("a mistake".to_owned()), ..consultation };
    assert_eq!(cancel(&cancelled, now), Err(CancelRefusal::Cancelled(cancelled.clone().into())));
    assert_eq!(finish(&cancelled, None, now, &rules), Err(FinishRefusal::Cancelled(cancelled.into())));
}
