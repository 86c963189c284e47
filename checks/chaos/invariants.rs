//! The invariants, checked in both databases, the clients' log and the history.

mod cancelled;
mod changes;
mod facts;
mod prices;
mod seen;
mod stalls;
mod stored;

pub(crate) use facts::Facts;
pub(crate) use seen::no_poisoned_pool;
pub(crate) use stalls::Stalls;

use crate::{history::Change, world::Seen};

/// Names of the invariants, for the checker's own test too.
pub(crate) mod names {
    pub(crate) const ACKNOWLEDGED: &str = "an acknowledged finish has one pending payment of the acknowledged price";
    pub(crate) const REFUSED: &str = "a refused finish changed nothing";
    pub(crate) const CANCELLED: &str = "a cancelled consultation has an end and is never charged";
    pub(crate) const ENDS_ONCE: &str = "of a cancellation and a finish at once one wins, and all answers agree";
    pub(crate) const START_DATE: &str = "a start that was entered late keeps its date";
    pub(crate) const BOTH_OR_NEITHER: &str = "a consultation is finished if and only if it has a pending payment";
    pub(crate) const PAID_ONCE: &str = "a finished consultation has exactly one payment, and no other has one";
    pub(crate) const SAME_AMOUNT: &str = "consultation, pending payment and payment have the same amount";
    pub(crate) const FINISHED: &str = "everything is delivered after the quiet time";
    pub(crate) const NOT_BEFORE_RECORDED: &str = "no row is finished before finance has recorded its payment";
    pub(crate) const ONE_LEASE: &str = "no row is claimed under another's lease that has not ended";
    pub(crate) const OWN_LEASE: &str = "a lease that ends without success is ended by who claimed it";
    pub(crate) const CONFIRMED: &str = "a payment that finance confirmed was recorded before, and is there";
    pub(crate) const PRICE: &str = "a price is what the rule gives for the end minus the start";
    pub(crate) const DURATION: &str = "without an end of its own a consultation is as long as it took";
    pub(crate) const SILENCE: &str = "a service that does no work for over 10 s fails a probe and logs why";
    pub(crate) const CALLS: &str = "no call of a service waits longer than 10 s";
    pub(crate) const FEW: &str = "with few connections everything is confirmed within 15 s";
    pub(crate) const ROW_LOCKED: &str = "a locked row delays those who ask for it, and no others";
    pub(crate) const MIGRATE_SAYS: &str = "migrate names the transaction that it waits for";
    pub(crate) const MIGRATE_WAITS: &str = "no call waits longer than 2 s for a migration that waits";
    pub(crate) const WRONG_FINANCE: &str = "nothing is recorded at another finance";
    pub(crate) const RETRYABLE: &str =
        "what fails with its database is refused with a code to retry, 503 and Retry-After";
    pub(crate) const FAILOVER: &str =
        "finishes succeed again within 30 s of a dead machine, 10 s of a process or switchover";
    pub(crate) const WHOLE: &str = "after the loss of a part the servers are one cluster again within 90 s";
    pub(crate) const STANDBY: &str = "no service is ready whose database is a standby";
    pub(crate) const CONFLICT: &str = "another amount is refused as a conflict, the same is confirmed";
}

/// The result of a check.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) invariant: &'static str,
    pub(crate) checked: usize,
    pub(crate) violations: Vec<String>,
}

impl Verdict {
    /// Counts `cases`, each of which is its violation, if any.
    pub(crate) fn of(invariant: &'static str, cases: impl IntoIterator<Item = Option<String>>) -> Self {
        let mut verdict = Self { invariant, checked: 0, violations: Vec::new() };
        for wrong in cases {
            verdict.checked += 1;
            verdict.violations.extend(wrong);
        }
        verdict
    }
}

/// Makes all checks that need no running service.
pub(crate) fn check(facts: &Facts, changes: &[Change], seen: &Seen) -> Vec<Verdict> {
    let verdicts = [
        stored::check(facts),
        cancelled::check(facts),
        prices::check(facts, seen),
        changes::check(facts, changes, seen),
        vec![stored::confirmed(facts, seen)],
        seen::check(seen),
    ];
    verdicts.into_iter().flatten().collect()
}
