//! Model of one payment in a finance with a synchronous standby: a payment that finance confirms must survive a
//! failover.
//!
//! A commit waits for the standby before it is answered. If the waiting session is cut off, as by a restart, the commit
//! is visible on the primary before that, and a repetition reads it. Left out: claims and leases (see `row`). One relay
//! sends repeatedly.

use stateright::{Model, Property};

pub(crate) const STAYS_PAID: &str = "what is finished is paid, whichever server leads";

/// Whether finance responds to a repetition at once, or only after it is replicated.
#[derive(Clone, Debug)]
pub(crate) struct Replicated {
    pub(crate) repetitions_wait: bool,
    pub(crate) faults: u8,
}

/// A payment on the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Payment {
    Missing,
    /// Its session waits for the standby. Nobody reads it.
    Waiting,
    Visible,
}

#[expect(clippy::struct_excessive_bools, reason = "a state of the model is the product of its facts")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    payment: Payment,
    is_replicated: bool,
    standby_is_connected: bool,
    has_failed_over: bool,
    finished: bool,
    faults_left: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// The relay sends: finance inserts the payment, or finds it.
    Send,
    Replicate,
    /// The insert is replicated, and the response sent.
    Answer,
    Reconnect,
    /// Faults.
    Disconnect,
    RestartPrimary,
    LosePrimary,
}

impl Model for Replicated {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            payment: Payment::Missing,
            is_replicated: false,
            standby_is_connected: true,
            has_failed_over: false,
            finished: false,
            faults_left: self.faults,
        }]
    }

    fn actions(&self, _: &State, actions: &mut Vec<Action>) {
        use Action::{Answer, Disconnect, LosePrimary, Reconnect, Replicate, RestartPrimary, Send};
        actions.extend([Send, Replicate, Answer, Reconnect, Disconnect, RestartPrimary, LosePrimary]);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        let is_durable = state.is_replicated || state.has_failed_over;
        match (action, state.payment) {
            (Action::Send, Payment::Missing) if !state.finished => next.payment = Payment::Waiting,
            (Action::Send, Payment::Visible) if !state.finished && (is_durable || !self.repetitions_wait) => {
                next.finished = true;
            }
            (Action::Replicate, Payment::Waiting | Payment::Visible)
                if state.standby_is_connected && !state.is_replicated =>
            {
                next.is_replicated = true;
            }
            (Action::Answer, Payment::Waiting) if is_durable => {
                (next.payment, next.finished) = (Payment::Visible, true);
            }
            (Action::Reconnect, _) if !state.standby_is_connected && !state.has_failed_over => {
                next.standby_is_connected = true;
            }
            (Action::Disconnect, _) if state.standby_is_connected => {
                next.spend_fault()?;
                next.standby_is_connected = false;
            }
            (Action::RestartPrimary, Payment::Waiting) => {
                next.spend_fault()?;
                next.payment = Payment::Visible;
            }
            (Action::LosePrimary, _) if !state.has_failed_over => {
                next.spend_fault()?;
                next.payment = if state.is_replicated { Payment::Visible } else { Payment::Missing };
                (next.has_failed_over, next.standby_is_connected) = (true, false);
            }
            _ => return None,
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(STAYS_PAID, |_, state: &State| !state.finished || state.payment == Payment::Visible),
            Property::sometimes("it is finished after a failover", |_, state: &State| {
                state.finished && state.has_failed_over
            }),
        ]
    }
}

impl State {
    fn spend_fault(&mut self) -> Option<()> {
        self.faults_left = self.faults_left.checked_sub(1)?;
        Some(())
    }
}
