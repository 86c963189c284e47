//! The parts of steps that several actions share.

use super::State;

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
