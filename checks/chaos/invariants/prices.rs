//! Prices follow the rule for the stored duration, and the stored duration is the true one.

use super::{
    Facts, Verdict,
    names::{DURATION, PRICE},
};
use crate::{
    client::{Entry, Outcome},
    world::Seen,
};

/// Milliseconds in a hundredth of an hour.
const HUNDREDTH: i64 = 36_000;
/// Cents of a hundredth of an hour.
const PRICE_PER_HUNDREDTH: i64 = 200;
/// The largest difference of two clocks on a busy machine.
const TOLERANCE_SECONDS: f64 = 3.0;

pub(super) fn check(facts: &Facts, seen: &Seen) -> Vec<Verdict> {
    let finished =
        facts.consultations.values().filter_map(|found| Some((found, found.end? - found.start, found.price?)));
    let prices = finished.map(|(found, seconds, price)| {
        let is_right = milliseconds(seconds).any(|milliseconds| rule(milliseconds) == price);
        (!is_right).then(|| format!("{}: {price} cents for {seconds:.3} s", found.id))
    });
    // Of a start that was entered afterwards the price tells the rest.
    let is_now = |entry: &&Entry| !entry.has_end && !entry.is_cancellation && entry.start_date.is_none();
    let now = facts.log.iter().filter(is_now).filter(|entry| matches!(entry.outcome, Outcome::Acknowledged(_)));
    let durations = now.filter(|entry| !seen.was_set_in(entry.start.start..entry.finish.end));
    vec![Verdict::of(PRICE, prices), Verdict::of(DURATION, durations.map(|entry| duration(facts, entry)))]
}

/// Milliseconds of a stored time. Databases round differently, so that both neighbours count too.
#[expect(clippy::cast_possible_truncation, reason = "years in milliseconds are far below 2^52")]
fn milliseconds(seconds: f64) -> impl Iterator<Item = i64> {
    let nearest = (seconds * 1000.0).round() as i64;
    nearest - 1..=nearest + 1
}

/// Up to an hour costs an hour; beyond, hundredths of hours are rounded half to even.
fn rule(milliseconds: i64) -> i64 {
    let (quotient, rest) = (milliseconds / HUNDREDTH, milliseconds % HUNDREDTH);
    let up = 2 * rest > HUNDREDTH || 2 * rest == HUNDREDTH && quotient % 2 == 1;
    (quotient + i64::from(up)).max(100) * PRICE_PER_HUNDREDTH
}

fn duration(facts: &Facts, entry: &Entry) -> Option<String> {
    // Another invariant reports a consultation that is not stored.
    let found = facts.consultations.get(&entry.id.simple().to_string())?;
    let stored = found.end? - found.start;
    let shortest = entry.finish.start.saturating_duration_since(entry.start.end).as_secs_f64() - TOLERANCE_SECONDS;
    let longest = (entry.finish.end - entry.start.start).as_secs_f64() + TOLERANCE_SECONDS;
    let is_true = (shortest..=longest).contains(&stored);
    (!is_true).then(|| {
        let price = found.price;
        format!("{}: took {shortest:.1} to {longest:.1} s, stored as {stored:.1} s, price {price:?} cents", found.id)
    })
}
