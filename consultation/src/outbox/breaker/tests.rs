use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;
use tokio::time::Instant;

use super::{Breaker, DESTINATION_RETRY, FAILURES_TO_OPEN, Hint, MAX_PAYMENTS, MAX_REQUESTS, Permit};

/// A breaker that has just opened, and when.
fn open() -> (Breaker, Instant) {
    let (mut breaker, now) = (Breaker::default(), Instant::now());
    let opened: Vec<_> = (0..FAILURES_TO_OPEN).map(|_| breaker.failed(Hint::None, now)).collect();
    assert_eq!(opened, [false, false, false, false, true]);
    (breaker, now)
}

#[test]
fn five_failures_in_a_row_open_it_and_four_do_not() {
    let (mut breaker, now) = (Breaker::default(), Instant::now());
    for _ in 0..3 {
        (1..FAILURES_TO_OPEN).for_each(|_| assert!(!breaker.failed(Hint::None, now)));
        assert!(!breaker.succeeded());
        assert!(matches!(breaker.permit(now), Permit::Batch(_)));
    }
    let (mut breaker, now) = open();
    assert_eq!(breaker.permit(now), Permit::Denied);
}

#[test]
fn an_open_one_lets_one_probe_through_each_5_s_even_while_one_hangs() {
    let (mut breaker, opened) = open();
    for probe in 1..=3 {
        let start = opened + DESTINATION_RETRY * probe;
        assert_eq!(breaker.permit(start - Duration::from_millis(1)), Permit::Denied);
        assert_eq!(breaker.permit(start), Permit::Probe);
        assert_eq!(breaker.permit(start), Permit::Denied);
    }
}

#[test]
fn a_probe_that_found_nothing_to_send_is_not_lost() {
    let (mut breaker, opened) = open();
    let start = opened + DESTINATION_RETRY;
    let probe = breaker.permit(start);
    breaker.give_back(probe, start);
    assert_eq!(breaker.permit(start), Permit::Probe);
}

#[test]
fn success_closes_it_and_what_may_be_sent_doubles_up_to_the_limits() {
    let (mut breaker, now) = open();
    assert!(breaker.succeeded());
    let mut sent = Vec::new();
    for _ in 0..9 {
        sent.push((breaker.permit(now), breaker.requests()));
        assert!(!breaker.succeeded());
    }
    let expected = [(1, 1), (2, 2), (4, 4), (8, 8), (16, 8), (32, 8), (64, 8), (100, 8), (100, 8)];
    assert_eq!(sent, expected.map(|(payments, requests)| (Permit::Batch(payments), requests)));
    assert_eq!((MAX_PAYMENTS, MAX_REQUESTS), (100, 8));
}

#[test]
fn each_failure_halves_what_may_be_sent() {
    let (mut breaker, now) = (Breaker::default(), Instant::now());
    breaker.failed(Hint::None, now);
    breaker.failed(Hint::None, now);
    assert_eq!((breaker.permit(now), breaker.requests()), (Permit::Batch(25), 2));
}

#[rstest]
#[case::a_wrong_setting(Hint::Misconfigured, DESTINATION_RETRY)]
#[case::retry_after(Hint::RetryAfter(Duration::from_secs(40)), Duration::from_secs(40))]
fn one_failure_that_says_so_opens_it_at_once(#[case] hint: Hint, #[case] pause: Duration) {
    let (mut breaker, now) = (Breaker::default(), Instant::now());
    assert!(breaker.failed(hint, now));
    assert_eq!(breaker.permit(now + pause - Duration::from_millis(1)), Permit::Denied);
    assert_eq!(breaker.permit(now + pause), Permit::Probe);
}

#[test]
fn a_late_failure_does_not_put_off_the_next_probe() {
    let (mut breaker, opened) = open();
    assert!(!breaker.failed(Hint::None, opened + DESTINATION_RETRY / 2), "it is open already");
    assert_eq!(breaker.permit(opened + DESTINATION_RETRY), Permit::Probe);
}

proptest! {
    #[test]
    fn whatever_happens_the_next_call_is_never_more_than_a_minute_away(
        events in prop::collection::vec((0..4_u8, 0..10_000_u64), 0..200),
    ) {
        let (mut breaker, mut now) = (Breaker::default(), Instant::now());
        for (event, milliseconds) in events {
            now += Duration::from_millis(milliseconds);
            match event {
                0 => drop(breaker.succeeded()),
                1 => drop(breaker.failed(Hint::None, now)),
                2 => drop(breaker.failed(Hint::RetryAfter(Duration::from_mins(1)), now)),
                _ => drop(breaker.permit(now)),
            }
            prop_assert!(breaker.requests() >= 1);
            prop_assert!(breaker.next_probe().is_none_or(|probe| probe <= now + Duration::from_mins(1)));
            prop_assert!(breaker.clone().permit(now + Duration::from_mins(1)) != Permit::Denied);
        }
    }
}
