//! The steps, with the flaws that a model may have. A step that cannot be taken returns `None`.

use super::{Amount, Flaw, Lease, NEEDED, OWN, Operator, Relay, Remedied, STANDS, STAYS, State};

impl Remedied {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// A claim and its request. A claim beside another relay's is a fault: that one has outlived its lease.
    pub(super) fn send(&self, next: &mut State, relay: usize) -> Option<()> {
        // A parked row is retried, which changes nothing while another amount is there.
        let is_futile = next.parked && next.recorded.is_some_and(|recorded| recorded != next.amount());
        if next.finished || is_futile || next.relays[relay] != Relay::Idle {
            return None;
        }
        if next.relays.iter().any(|relay| *relay != Relay::Idle) {
            next.faults_left = next.faults_left.checked_sub(1)?;
        }
        next.claim_seq += 1;
        let lease = Lease { token: next.claim_seq, redeliveries: next.redeliveries };
        let amount = if self.has(Flaw::SendsThePriceAgain) { Amount::Ours } else { next.amount() };
        next.relays[relay] = Relay::Sent(lease, amount);
        Some(())
    }

    pub(super) fn write_result(&self, next: &mut State, relay: usize) -> Option<()> {
        match next.relays[relay] {
            Relay::Confirmed(lease, amount) if !next.finished => {
                let is_own = lease.redeliveries == next.redeliveries;
                if is_own && amount != next.amount() {
                    next.violated = Some(STANDS);
                }
                if !is_own && self.has(Flaw::ConfirmsAnyDelivery) {
                    next.violated = Some(OWN);
                }
                next.finished = is_own || self.has(Flaw::ConfirmsAnyDelivery);
            }
            Relay::Refused(lease) if lease.token == next.claim_seq && !next.finished => next.parked = true,
            Relay::Refused(_) if next.finished && self.has(Flaw::RefusalOverridesSettlement) => {
                (next.finished, next.parked, next.violated) = (false, true, Some(STAYS));
            }
            Relay::Confirmed(..) | Relay::Refused(_) => {}
            Relay::Idle | Relay::Sent(..) => return None,
        }
        next.relays[relay] = Relay::Idle;
        Some(())
    }

    pub(super) fn read_finance(&self, next: &mut State, operator: usize) -> Option<()> {
        let ours = if self.has(Flaw::SettlesByThePrice) { Amount::Ours } else { next.amount() };
        next.operators[operator] = match (next.operators[operator], next.recorded) {
            (Operator::Idle, Some(recorded)) if next.parked && !next.finished && recorded != ours => {
                Operator::Settles(recorded)
            }
            (Operator::Idle, None) if self.has(Flaw::SettlesWhatIsNotRefused) && !next.finished => {
                Operator::Settles(Amount::Theirs)
            }
            (Operator::Idle, recorded) if next.finished && recorded != Some(next.amount()) => {
                Operator::SendsAgain(next.redeliveries)
            }
            _ => return None,
        };
        Some(())
    }

    pub(super) fn write_remedy(&self, next: &mut State, operator: usize) -> Option<()> {
        match next.operators[operator] {
            Operator::Idle => return None,
            Operator::Settles(amount) if !next.finished && (next.parked || self.has(Flaw::SettlesWhatIsNotRefused)) => {
                (next.finished, next.settled) = (true, Some(amount));
            }
            Operator::SendsAgain(seen)
                if next.finished && (seen == next.redeliveries || self.has(Flaw::SendsAgainWithoutComparing)) =>
            {
                if seen != next.redeliveries {
                    next.violated = Some(NEEDED);
                }
                (next.finished, next.parked) = (false, false);
                next.redeliveries += 1;
            }
            Operator::Settles(_) | Operator::SendsAgain(_) => {}
        }
        next.operators[operator] = Operator::Idle;
        Some(())
    }
}

/// Finance records, now or before, or refuses.
pub(super) fn record(next: &mut State, relay: usize) -> Option<()> {
    let Relay::Sent(lease, amount) = next.relays[relay] else { return None };
    let recorded = *next.recorded.get_or_insert(amount);
    next.was_recorded = true;
    next.relays[relay] = if recorded == amount { Relay::Confirmed(lease, amount) } else { Relay::Refused(lease) };
    Some(())
}
