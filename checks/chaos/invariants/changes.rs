//! Checks of the history: a change may be wrong even if the end is right.

use std::collections::HashMap;

use super::{
    Facts, Verdict,
    names::{NOT_BEFORE_RECORDED, ONE_LEASE, OWN_LEASE},
};
use crate::{history::Change, world::Seen};

/// The length of a lease.
const LEASE_SECONDS: f64 = 30.0;

pub(super) fn check(facts: &Facts, changes: &[Change], seen: &Seen) -> Vec<Verdict> {
    let case = |wrong: fn(&Change) -> bool| changes.iter().map(move |change| wrong(change).then(|| describe(change)));
    vec![
        Verdict::of(
            "a finished row stays finished",
            case(|change| change.was_finished == Some(true) && change.finished != Some(true)),
        ),
        Verdict::of(
            "no undelivered row is deleted",
            case(|change| change.was_finished == Some(false) && change.finished.is_none()),
        ),
        Verdict::of(
            "claim_seq never decreases",
            case(|change| change.claim.is_some() && change.claim < change.was_claim),
        ),
        one_lease(changes, seen),
        own_lease(changes),
        not_before_recorded(facts, changes, seen),
    ]
}

fn describe(change: &Change) -> String {
    format!("{change:?}")
}

fn one_lease(changes: &[Change], seen: &Seen) -> Verdict {
    let claims = changes.iter().filter(|change| change.is_claim());
    let cases = claims.map(|claim| {
        // The trigger reads the clock after the claim did: a lease that ends later than this had not ended.
        // A lease that ends later than any can was given by a clock that was ahead, and counts as ended.
        let until = claim.was_lease.filter(|until| *until <= claim.at + LEASE_SECONDS || !seen.was_any_clock_set());
        let taken = claim.was_processing == Some(true) && until.is_some_and(|until| until > claim.at);
        taken.then(|| describe(claim))
    });
    Verdict::of(ONE_LEASE, cases)
}

/// SQLite's history has no writers, and nothing to check.
fn own_lease(changes: &[Change]) -> Verdict {
    let claimants: HashMap<_, _> = changes
        .iter()
        .filter(|change| change.is_claim() && !change.writer.is_empty())
        .map(|change| ((&change.row_id, change.claim), &change.writer))
        .collect();
    let ends = changes.iter().filter(|change| {
        change.was_processing == Some(true) && change.processing == Some(false) && change.finished == Some(false)
    });
    let cases = ends.filter_map(|end| {
        let claimant = claimants.get(&(&end.row_id, end.was_claim))?;
        Some((**claimant != end.writer).then(|| format!("claimed by {claimant}: {}", describe(end))))
    });
    Verdict::of(OWN_LEASE, cases)
}

fn not_before_recorded(facts: &Facts, changes: &[Change], seen: &Seen) -> Verdict {
    let appointments: HashMap<_, _> =
        facts.pending.values().flatten().map(|row| (&row.id, row.appointment.as_str())).collect();
    let finishes = changes.iter().filter(|change| change.finished == Some(true) && change.was_finished == Some(false));
    let cases = finishes.map(|finish| {
        let payments = appointments.get(&finish.row_id).map_or(&[][..], |id| facts.payments_of(id));
        let recorded = payments.first().is_some_and(|payment| {
            let is_comparable = ![payment.recorded_at, finish.at].into_iter().any(|at| seen.was_wrong_at(at));
            payment.recorded_at <= finish.at || !is_comparable
        });
        (!recorded).then(|| format!("{payments:?} at {}", describe(finish)))
    });
    Verdict::of(NOT_BEFORE_RECORDED, cases)
}
