//! The steps, with the flaws that a model may have. A step that cannot be taken returns `None`.

use super::{Consultation, FENCE, Flaw, Lease, Message, ONE_END, ONE_LEASE, Outbox, Relay, STAYS, State};

/// Tries of the model that gives up.
const GIVE_UP_AFTER: u8 = 2;

impl Outbox {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// The write of a finish: it decides, not what was read before. A finish that lost ends here.
    pub(super) fn finish(&self, next: &mut State) -> Option<()> {
        match next.consultation {
            Consultation::InProgress { is_read: true } => {
                (next.consultation, next.is_enqueued) = (Consultation::Finished, true);
            }
            Consultation::Cancelled { is_read: true } => {
                next.consultation = Consultation::Cancelled { is_read: false };
                if self.has(Flaw::FinishIgnoresCancel) {
                    next.is_enqueued = true;
                    next.violated.insert(ONE_END);
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// One statement, which reads and writes. Of a consultation that has ended it changes nothing.
    pub(super) fn cancel(&self, next: &mut State) -> Option<()> {
        let is_read = match next.consultation {
            Consultation::InProgress { is_read } => is_read,
            Consultation::Finished if self.has(Flaw::CancelIgnoresFinish) => {
                next.violated.insert(ONE_END);
                false
            }
            _ => return None,
        };
        next.consultation = Consultation::Cancelled { is_read };
        Some(())
    }

    pub(super) fn claim(&self, next: &mut State, relay: usize) -> Option<()> {
        let free = next.lease != Lease::Valid || self.has(Flaw::ClaimIgnoresLease);
        let tired = self.has(Flaw::GiveUp) && next.claim_seq >= GIVE_UP_AFTER;
        if !next.is_enqueued || next.relays[relay] != Relay::Idle || next.finished || !free || tired {
            return None;
        }
        if next.lease == Lease::Valid && next.is_held() {
            next.violated.insert(ONE_LEASE);
        }
        next.claim_seq += 1;
        next.lease = Lease::Valid;
        next.relays[relay] = Relay::Claimed(next.claim_seq);
        Some(())
    }

    pub(super) fn send(&self, next: &mut State, relay: usize) -> Option<()> {
        let Relay::Claimed(token) = next.relays[relay] else { return None };
        if self.has(Flaw::FinishBeforeConfirm) {
            (next.finished, next.lease) = (true, Lease::None);
        }
        next.relays[relay] = Relay::Sent(token);
        next.network.insert(Message::Request(token));
        Some(())
    }

    pub(super) fn record(&self, next: &mut State, message: Message) -> Option<()> {
        let Message::Request(token) = message else { return None };
        next.network.remove(&message);
        next.network.insert(Message::Confirmation(token));
        next.payments = if self.has(Flaw::NoUniqueKey) { next.payments + 1 } else { 1 };
        Some(())
    }

    /// A success is accepted under any lease, a failure only under the lease in which it happened.
    pub(super) fn write_outcome(&self, next: &mut State, relay: usize) -> Option<()> {
        let is_success = match next.relays[relay] {
            Relay::Confirmed(_) => true,
            Relay::Failed(_) => false,
            _ => return None,
        };
        let is_stale = next.relays[relay].token() != Some(next.claim_seq);
        next.relays[relay] = Relay::Idle;
        if is_success {
            (next.finished, next.lease) = (true, Lease::None);
            return Some(());
        }
        if self.has(Flaw::FailureOverridesSuccess) && next.finished {
            next.finished = false;
            next.violated.insert(STAYS);
        }
        let counts = next.lease != Lease::None && !next.finished;
        if counts && (!is_stale || self.has(Flaw::NoFence)) {
            next.lease = Lease::None;
            if is_stale {
                next.violated.insert(FENCE);
            }
        }
        Some(())
    }
}

pub(super) fn read_for_finish(next: &mut State) -> Option<()> {
    let Consultation::InProgress { is_read: is_read @ false } = &mut next.consultation else { return None };
    *is_read = true;
    Some(())
}

/// It is no fault if nobody holds the row. Else the holder is too slow, which is a fault.
pub(super) fn end_lease(next: &mut State) -> Option<()> {
    if next.lease != Lease::Valid {
        return None;
    }
    if next.is_held() {
        next.spend_fault()?;
    }
    next.lease = Lease::Ended;
    Some(())
}

/// Only the relay that waits for the message takes it. A late message is dropped.
pub(super) fn receive(next: &mut State, message: Message) -> Option<()> {
    let (token, received) = match message {
        Message::Request(_) => return None,
        Message::Confirmation(token) => (token, Relay::Confirmed(token)),
        Message::Failure(token) => (token, Relay::Failed(token)),
    };
    next.network.remove(&message);
    if let Some(waiting) = next.relays.iter_mut().find(|relay| **relay == Relay::Sent(token)) {
        *waiting = received;
    }
    Some(())
}
