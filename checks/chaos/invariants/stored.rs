//! Checks of the stored rows: everything acknowledged is there, once, with one amount.

use super::{
    Facts, Verdict,
    names::{ACKNOWLEDGED, BOTH_OR_NEITHER, CONFIRMED, FINISHED, PAID_ONCE, REFUSED, SAME_AMOUNT},
};
use crate::{
    client::Outcome,
    world::{Confirmed, Seen},
};

pub(super) fn check(facts: &Facts) -> Vec<Verdict> {
    vec![
        acknowledged(facts),
        refused(facts),
        Verdict::of(
            "a first finish or cancellation is not refused as a repetition",
            facts.log.iter().map(|entry| {
                let id = entry.id.to_string();
                facts.surprises.contains(&id).then_some(id)
            }),
        ),
        both_or_neither(facts),
        paid_once(facts),
        same_amount(facts),
        Verdict::of(
            FINISHED,
            facts.pending.values().flatten().map(|row| (!row.finished).then(|| row.appointment.clone())),
        ),
    ]
}

fn acknowledged(facts: &Facts) -> Verdict {
    let acknowledged = facts.log.iter().filter_map(|entry| match entry.outcome {
        Outcome::Acknowledged(price) => Some((entry.id.simple().to_string(), price)),
        _ => None,
    });
    let cases = acknowledged.map(|(id, price)| match facts.pending_of(&id) {
        [pending] if pending.price == price => None,
        found => Some(format!("{id}: acknowledged with {price} cents, found {found:?}")),
    });
    Verdict::of(ACKNOWLEDGED, cases)
}

fn refused(facts: &Facts) -> Verdict {
    let refused = facts.log.iter().filter(|entry| entry.outcome == Outcome::Refused);
    let cases = refused.map(|entry| {
        let id = entry.id.simple().to_string();
        match (facts.consultations.get(&id).map(|found| found.price), facts.pending_of(&id)) {
            (Some(None), []) => None,
            found => Some(format!("{id}: refused, but found {found:?}")),
        }
    });
    Verdict::of(REFUSED, cases)
}

/// Checks all consultations, also those whose outcome no client knows.
fn both_or_neither(facts: &Facts) -> Verdict {
    let consultations = facts.consultations.values();
    let cases = consultations.map(|consultation| match (consultation.price, facts.pending_of(&consultation.id)) {
        (Some(_), [_]) | (None, []) => None,
        (price, pending) => Some(format!("{}: price {price:?}, pending payments {pending:?}", consultation.id)),
    });
    let orphans = facts.pending.keys().filter(|id| !facts.consultations.contains_key(*id));
    Verdict::of(BOTH_OR_NEITHER, cases.chain(orphans.map(|id| Some(format!("{id}: no such consultation")))))
}

fn paid_once(facts: &Facts) -> Verdict {
    let consultations = facts.consultations.values();
    let cases = consultations.map(|consultation| match (consultation.price, facts.payments_of(&consultation.id)) {
        (Some(_), [_]) | (None, []) => None,
        (price, payments) => Some(format!("{}: price {price:?}, payments {payments:?}", consultation.id)),
    });
    let orphans = facts.payments.keys().filter(|id| !facts.consultations.contains_key(*id));
    Verdict::of(PAID_ONCE, cases.chain(orphans.map(|id| Some(format!("{id}: no such consultation")))))
}

fn same_amount(facts: &Facts) -> Verdict {
    let finished =
        facts.consultations.values().filter_map(|consultation| Some((&consultation.id, consultation.price?)));
    let cases = finished.map(|(id, price)| {
        let pending = facts.pending_of(id).iter().map(|pending| pending.price);
        let payments = facts.payments_of(id).iter().map(|payment| payment.price);
        let other = pending.chain(payments).find(|other| *other != price);
        other.map(|other| format!("{id}: {price} cents in the consultation, elsewhere {other}"))
    });
    Verdict::of(SAME_AMOUNT, cases)
}

/// Confirmations to the intruder, who may have called before the payment was durable.
pub(super) fn confirmed(facts: &Facts, seen: &Seen) -> Verdict {
    let confirmed = seen.confirmed.lock().expect("confirmed").clone();
    let cases = confirmed.into_iter().map(|Confirmed { id, price, at }| {
        let payments = facts.payments_of(&id.simple().to_string());
        let is_kept = payments.iter().any(|payment| {
            payment.price == price && (payment.recorded_at <= at || seen.was_wrong_at(payment.recorded_at))
        });
        (!is_kept).then(|| format!("{id}: {price} cents confirmed at {at:.3}, found {payments:?}"))
    });
    Verdict::of(CONFIRMED, cases)
}
