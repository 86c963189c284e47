//! The steps, with the flaws that a model may have. A step that cannot be taken returns `None`.

use super::{Amount, Flaw, NEEDED, Operator, Relay, Remedied, STANDS, STAYS, State};

impl Remedied {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// A claim and its request. A claim beside another relay's is a fault: that one has outlived its lease.
    pub(super) fn send(&self, next: &mut State, relay: usize) -> Option<()> {
        // A parked row is retried, which changes nothing while its payment is there.
        let is_futile = next.parked && next.recorded.is_some();
        if next.finished || is_futile || next.relays[relay] != Relay::Idle {
            return None;
        }
        if next.relays.iter().any(|relay| *relay != Relay::Idle) {
            next.faults_left = next.faults_left.checked_sub(1)?;
        }
        next.claim_seq += 1;
        let settled = next.settled.filter(|_| !self.has(Flaw::SendsThePriceAgain));
        next.relays[relay] = Relay::Sent(next.claim_seq, settled.unwrap_or(Amount::Ours));
        Some(())
    }

    pub(super) fn write_result(&self, next: &mut State, relay: usize) -> Option<()> {
        match next.relays[relay] {
            Relay::Confirmed(amount) => {
                if !next.finished && amount != next.settled.unwrap_or(Amount::Ours) {
                    next.violated = Some(STANDS);
                }
                next.finished = true;
            }
            Relay::Refused(token) if token == next.claim_seq && !next.finished => next.parked = true,
            Relay::Refused(_) if next.finished && self.has(Flaw::RefusalOverridesSettlement) => {
                (next.finished, next.parked, next.violated) = (false, true, Some(STAYS));
            }
            Relay::Refused(_) => {}
            Relay::Idle | Relay::Sent(..) => return None,
        }
        next.relays[relay] = Relay::Idle;
        Some(())
    }

    pub(super) fn read_finance(&self, next: &mut State, operator: usize) -> Option<()> {
        next.operators[operator] = match (next.operators[operator], next.recorded) {
            (Operator::Idle, Some(Amount::Theirs)) if next.parked && !next.finished => {
                Operator::Settles(Amount::Theirs)
            }
            (Operator::Idle, None) if self.has(Flaw::SettlesWhatIsNotRefused) && !next.finished => {
                Operator::Settles(Amount::Theirs)
            }
            (Operator::Idle, recorded) if next.finished && recorded != Some(next.settled.unwrap_or(Amount::Ours)) => {
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
                if next.settled.is_some_and(|settled| settled != amount) {
                    next.violated = Some(STAYS);
                }
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
    let Relay::Sent(token, amount) = next.relays[relay] else { return None };
    let recorded = *next.recorded.get_or_insert(amount);
    next.was_recorded = true;
    next.relays[relay] = if recorded == amount { Relay::Confirmed(amount) } else { Relay::Refused(token) };
    Some(())
}
