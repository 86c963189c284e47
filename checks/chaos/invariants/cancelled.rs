//! Checks of what clients correct: cancellations, alone and against finishes, and starts that were entered late.

use std::collections::HashMap;

use super::{
    Facts, Verdict,
    facts::Consultation,
    names::{CANCELLED, ENDS_ONCE, START_DATE},
};
use crate::client::{Entry, Outcome};

/// Databases round times differently.
const ROUNDING_SECONDS: f64 = 0.002;

pub(super) fn check(facts: &Facts) -> Vec<Verdict> {
    vec![cancelled(facts), ends_once(facts), start_dates(facts)]
}

/// Also of those whose outcome no client knows.
fn cancelled(facts: &Facts) -> Verdict {
    let stored = facts.consultations.values().filter(|found| found.is_cancelled).map(|found| {
        let Consultation { id, start, end, price, .. } = found;
        let (pending, payments) = (facts.pending_of(id), facts.payments_of(id));
        let is_right =
            end.is_some_and(|end| end > *start) && price.is_none() && pending.is_empty() && payments.is_empty();
        (!is_right).then(|| format!("{found:?}: pending payments {pending:?}, payments {payments:?}"))
    });
    let acknowledged = facts.log.iter().filter(|entry| entry.outcome == Outcome::Cancelled).map(|entry| {
        let found = stored_as(facts, entry);
        let is_right = found.is_some_and(|found| found.is_cancelled);
        (!is_right).then(|| format!("{}: told to be cancelled, found {found:?}", entry.id))
    });
    Verdict::of(CANCELLED, stored.chain(acknowledged))
}

fn ends_once(facts: &Facts) -> Verdict {
    let mut calls: HashMap<_, Vec<&Entry>> = HashMap::new();
    for entry in &facts.log {
        calls.entry(entry.id).or_default().push(entry);
    }
    Verdict::of(ENDS_ONCE, calls.values().map(|calls| contradicts(calls).then(|| format!("{calls:?}"))))
}

/// Whether the answers to all calls for a consultation contradict each other.
fn contradicts(calls: &[&Entry]) -> bool {
    let winners = calls.iter().filter(|call| call.has_won).count();
    let [asked_to_cancel, asked_to_finish] =
        [true, false].map(|is_cancellation| calls.iter().any(|call| call.is_cancellation == is_cancellation));
    let known = || calls.iter().map(|call| call.outcome).filter(|outcome| *outcome != Outcome::Unknown);
    let is_cancelled = known().any(|outcome| outcome == Outcome::Cancelled);
    let is_finished = known().any(|outcome| matches!(outcome, Outcome::Acknowledged(_)));
    let has_unknown = calls.iter().any(|call| call.has_lost_answers);
    winners > 1
        || is_cancelled && is_finished
        || is_cancelled && !asked_to_cancel
        || is_finished && !asked_to_finish
        || asked_to_cancel && winners == 0 && !has_unknown
}

fn start_dates(facts: &Facts) -> Verdict {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^52")]
    let seconds = |entry: &Entry| entry.start_date.map(|date| date.timestamp_millis() as f64 / 1000.0);
    let cases = facts.log.iter().filter_map(|entry| Some((entry, seconds(entry)?, stored_as(facts, entry)?)));
    let cases = cases.map(|(entry, given, found)| {
        let is_kept = (found.start - given).abs() < ROUNDING_SECONDS;
        (!is_kept).then(|| format!("{}: entered as {given:.3}, stored as {:.3}", entry.id, found.start))
    });
    Verdict::of(START_DATE, cases)
}

fn stored_as<'a>(facts: &'a Facts, entry: &Entry) -> Option<&'a Consultation> {
    facts.consultations.get(&entry.id.simple().to_string())
}
