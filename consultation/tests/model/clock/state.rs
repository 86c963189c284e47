//! A state of the row, its relays and the clock.

use super::RELAYS;

#[expect(clippy::struct_excessive_bools, reason = "a state of the model is the product of its facts")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(super) finished: bool,
    pub(super) is_refused: bool,
    /// Time until it is due, and until its lease ends. 0: in the past.
    pub(super) due_in: u8,
    pub(super) lease: Option<u8>,
    pub(super) claim_seq: u8,
    /// The token of the claim that each relay is sending under.
    pub(super) sending: [Option<u8>; RELAYS],
    /// Since the last claim: time by a clock that is never set, and the steps of the database's clock.
    pub(super) lease_age: u8,
    pub(super) set_back: u8,
    pub(super) set_forward: bool,
    /// Time since the last fault.
    pub(super) calm: u8,
    pub(super) faults_left: u8,
    pub(super) lost_lease: bool,
}

impl State {
    pub(super) fn spend_fault(&mut self) -> Option<()> {
        self.faults_left = self.faults_left.checked_sub(1)?;
        self.calm = 0;
        Some(())
    }

    pub(super) fn pass_time(&mut self, units: u8) {
        self.due_in = self.due_in.saturating_sub(units);
        self.lease = self.lease.map(|left| left.saturating_sub(units));
    }

    /// Written only under the lease in which it happened.
    pub(super) fn failed(&mut self, relay: usize, delay: u8, is_refused: bool) -> Option<()> {
        let token = self.sending[relay].take()?;
        self.spend_fault()?;
        if token == self.claim_seq && self.lease.is_some() {
            (self.lease, self.due_in) = (None, delay);
            self.is_refused |= is_refused;
        }
        Some(())
    }
}
