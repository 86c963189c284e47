//! Each shape of a predecessor's consultation, and what becomes of it.

use super::{super::newest::Newest, *};

fn at(text: &str) -> DateTime<Utc> {
    format!("2021-08-02T{text}Z").parse().expect("a time")
}

fn money(text: &str) -> Money {
    text.parse().expect("an amount")
}

fn bounds(now: DateTime<Utc>) -> Bounds {
    Bounds { now, longest: TimeDelta::hours(24) }
}

fn payment(price: &str, finished: bool) -> PendingPayment {
    PendingPayment { total_price: money(price), tries: 3, finished }
}

/// Of 90 minutes, with these payments.
fn ended(price: Option<&str>, payments: &[PendingPayment]) -> Record {
    let end_date = Some(at("13:30:00"));
    Record { end_date, price: price.map(money), payments: payments.to_vec(), ..open(3, 1, at("12:00:00")) }
}

fn open(patient: u128, id: u128, start_date: DateTime<Utc>) -> Record {
    Record {
        id: Uuid::from_u128(id),
        physician_id: Uuid::from_u128(2),
        patient_id: Uuid::from_u128(patient),
        start_date,
        end_date: None,
        price: None,
        payments: Vec::new(),
        is_truncated: false,
    }
}

#[test]
fn a_price_and_a_delivery_come_from_what_the_predecessor_has_and_from_nothing_else() {
    let now = at("20:00:00");
    for (record, price, finished, code) in [
        (ended(Some("300"), &[payment("300", true)]), "300", true, None),
        (ended(Some("300"), &[payment("300", false)]), "300", false, None),
        (ended(Some("300"), &[]), "300", false, Some("WITHOUT_PENDING_PAYMENT")),
        (ended(None, &[payment("7.77", true)]), "7.77", true, Some("PRICE_OF_PENDING_PAYMENT")),
        (ended(None, &[payment("7.77", false)]), "7.77", false, Some("PRICE_OF_PENDING_PAYMENT")),
    ] {
        let Mapped { row, noted } = map(&record, bounds(now)).expect("it fits");
        let tries = if record.payments.is_empty() { 0 } else { 3 };
        let payment = Delivery { tries, finished };
        let expected = Ended::Finished { end_date: at("13:30:00"), price: money(price), payment };
        assert_eq!((row.ended, noted.map(|finding| finding.code)), (Some(expected), code));
    }
    let unpriced = map(&ended(None, &[]), bounds(now)).expect("it fits");
    let cancelled =
        matches!(&unpriced.row.ended, Some(Ended::Cancelled { end_date, .. }) if *end_date == at("13:30:00"));
    assert!(cancelled, "{unpriced:?}");
}

#[test]
fn what_contradicts_itself_is_left_out() {
    let now = at("20:00:00");
    let delivered = payment("300", true);
    let dated = |start_date, end_date| Record { start_date, end_date, ..ended(Some("300"), &[delivered]) };
    let tomorrow = now + MAX_FUTURE;
    let late = tomorrow + TimeDelta::milliseconds(1);
    for (record, code) in [
        (ended(Some("300"), &[payment("300.01", true)]), "PRICE_DIFFERS"),
        (ended(Some("300"), &[delivered, delivered]), "SEVERAL_PENDING_PAYMENTS"),
        (dated(at("13:30:00"), Some(at("13:30:00"))), "END_NOT_AFTER_START"),
        (dated(at("12:00:00"), Some(late)), "END_IN_FUTURE"),
        (dated(late, None), "START_IN_FUTURE"),
        (dated(at("12:00:00"), None), "CHARGED_WITHOUT_END"),
        (Record { price: Some(Money::ZERO), ..open(3, 1, now) }, "CHARGED_WITHOUT_END"),
    ] {
        let finding = map(&record, bounds(now)).expect_err(code);
        assert_eq!((finding.code, finding.is_left_out), (code, true));
    }
    assert!(map(&dated(at("12:00:00"), Some(tomorrow)), bounds(now)).is_ok());
}

#[test]
fn of_several_in_progress_the_newest_of_each_patient_stays_so() {
    let now = at("12:00:00");
    let [first, twin, last] = [open(3, 8, now), open(3, 9, now), open(3, 1, now - TimeDelta::hours(9))];
    let other = open(4, 7, now + TimeDelta::hours(1));
    let mut newest = Newest::default();
    for record in [&first, &twin, &last, &other] {
        newest.add(record);
    }
    for (record, newer) in [(&first, Some(9_u128)), (&last, Some(9)), (&twin, None), (&other, None)] {
        let Mapped { row, .. } = newest.mapped(record, map(record, bounds(now)).expect("it fits"), now);
        match (row.ended, newer) {
            (None, None) => {}
            (Some(Ended::Cancelled { end_date, reason }), Some(newer)) => {
                assert!(
                    end_date > record.start_date && reason.contains(&Uuid::from_u128(newer).to_string()),
                    "{reason}"
                );
            }
            (ended, _) => panic!("{record:?}: {ended:?}"),
        }
    }
    let ended = ended(Some("300"), &[]);
    assert!(matches!(
        newest.mapped(&ended, map(&ended, bounds(now)).expect("it fits"), now).row.ended,
        Some(Ended::Finished { .. })
    ));
}

#[test]
fn one_that_is_in_progress_for_longer_than_any_may_last_is_named_and_stays_so() {
    let start = at("12:00:00");
    let day = start + TimeDelta::hours(24);
    for (now, code) in [(day, None), (day + TimeDelta::milliseconds(1), Some("IN_PROGRESS_FOR_LONG"))] {
        let Mapped { row, noted } = map(&open(3, 1, start), bounds(now)).expect("it fits");
        let left_out = noted.as_ref().is_some_and(|finding| finding.is_left_out);
        assert_eq!((row.ended, noted.map(|finding| finding.code), left_out), (None, code, false));
    }
}
