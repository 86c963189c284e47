//! The actions in a state, their results, and the properties that must hold.

use std::collections::BTreeSet;

use stateright::{Model, Property};

use super::{
    Action, Consultation, FENCE, FREE, Lease, Message, ONE_END, ONE_LEASE, Outbox, RELAYS, Relay, STAYS, State, steps,
};

impl Model for Outbox {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            consultation: Consultation::InProgress { is_read: false },
            is_enqueued: false,
            finished: false,
            lease: Lease::None,
            claim_seq: 0,
            relays: [Relay::Idle; RELAYS],
            network: BTreeSet::new(),
            payments: 0,
            faults_left: self.faults,
            violated: BTreeSet::new(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend([Action::ReadForFinish, Action::Finish, Action::Cancel, Action::EndLease]);
        for relay in 0..RELAYS {
            let each = [Action::Claim, Action::Send, Action::WriteOutcome, Action::TimeOut, Action::Crash];
            actions.extend(each.map(|action| action(relay)));
        }
        for message in &state.network {
            let each = [Action::Record, Action::Receive, Action::Fail, Action::Double, Action::Lose];
            actions.extend(each.map(|action| action(*message)));
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::ReadForFinish => steps::read_for_finish(&mut next)?,
            Action::Finish => self.finish(&mut next)?,
            Action::Cancel => self.cancel(&mut next)?,
            Action::Claim(relay) => self.claim(&mut next, relay)?,
            Action::Send(relay) => self.send(&mut next, relay)?,
            Action::WriteOutcome(relay) => self.write_outcome(&mut next, relay)?,
            Action::EndLease => steps::end_lease(&mut next)?,
            Action::Record(message) => self.record(&mut next, message)?,
            Action::Receive(message) => steps::receive(&mut next, message)?,
            Action::Fail(Message::Request(token)) => {
                next.spend_fault()?;
                next.network.remove(&Message::Request(token));
                next.network.insert(Message::Failure(token));
            }
            Action::Double(Message::Request(token)) => {
                next.spend_fault()?;
                self.record(&mut next, Message::Request(token))?;
                next.network.insert(Message::Request(token));
            }
            Action::Fail(_) | Action::Double(_) => return None,
            Action::Lose(message) => {
                next.spend_fault()?;
                next.network.remove(&message);
            }
            Action::TimeOut(relay) => {
                let Relay::Sent(token) = next.relays[relay] else { return None };
                // Without a fault a relay gives up a lost message only.
                if next.is_on_its_way(token) {
                    next.spend_fault()?;
                }
                next.relays[relay] = Relay::Failed(token);
            }
            Action::Crash(relay) => {
                next.relays[relay].token()?;
                next.spend_fault()?;
                next.relays[relay] = Relay::Idle;
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("at most one payment", |_, state: &State| state.payments <= 1),
            Property::always("what is finished is paid", |_, state: &State| !state.finished || state.payments > 0),
            Property::always(STAYS, |_, state: &State| !state.violated.contains(STAYS)),
            Property::always(FENCE, |_, state: &State| !state.violated.contains(FENCE)),
            Property::always(ONE_LEASE, |_, state: &State| !state.violated.contains(ONE_LEASE)),
            Property::always(FREE, |_, state: &State| {
                !matches!(state.consultation, Consultation::Cancelled { .. })
                    || !state.is_enqueued && state.payments == 0
            }),
            Property::always(ONE_END, |_, state: &State| !state.violated.contains(ONE_END)),
            Property::always("no lease on what is finished", |_, state: &State| {
                !state.finished || state.lease == Lease::None
            }),
            // No path is endless: each step makes progress, and faults are bounded.
            Property::always("at rest it is finished", |outbox: &Self, state: &State| {
                let is_cancelled = matches!(state.consultation, Consultation::Cancelled { .. });
                state.finished || is_cancelled || outbox.goes_on_by_itself(state)
            }),
        ]
    }
}

impl Outbox {
    /// Whether a step can be taken without a fault.
    fn goes_on_by_itself(&self, state: &State) -> bool {
        let calm = State { faults_left: 0, ..state.clone() };
        let mut actions = Vec::new();
        self.actions(&calm, &mut actions);
        actions.into_iter().any(|action| self.next_state(&calm, action).is_some())
    }
}
