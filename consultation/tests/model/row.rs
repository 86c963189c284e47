//! The model: what `outbox::store` and the relay do to a row, as steps that other steps may come between.
//!
//! Left out: time (a row is always due; backoff and the breaker decide when, not what), batches (rows do not
//! know each other), and refusals (they change the row as failures do).

mod steps;

use std::collections::BTreeSet;

use stateright::{Model, Property};

/// Properties of steps, not of states.
pub(crate) const STAYS: &str = "finished stays finished";
pub(crate) const FENCE: &str = "a stale lease changes nothing";
pub(crate) const ONE_LEASE: &str = "no two leases at once";
const RELAYS: usize = 3;

/// What a model does wrong, to see that it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    NoFence,
    ClaimIgnoresLease,
    FinishBeforeConfirm,
    FailureOverridesSuccess,
    NoUniqueKey,
    GiveUp,
}

/// The system, in which at most so many faults happen.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    pub(crate) flaw: Option<Flaw>,
    pub(crate) faults: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Lease {
    None,
    Valid,
    Ended,
}

/// What a relay is doing, under the fencing token of its claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Relay {
    Idle,
    Claimed(u8),
    Sent(u8),
    Confirmed(u8),
    Failed(u8),
}

/// On its way between a relay, which is told by its token, and finance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Message {
    Request(u8),
    Confirmation(u8),
    Failure(u8),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    finished: bool,
    lease: Lease,
    claim_seq: u8,
    relays: [Relay; RELAYS],
    network: BTreeSet<Message>,
    payments: u8,
    faults_left: u8,
    /// What must never have happened, by the name of the property.
    violated: BTreeSet<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Claim(usize),
    Send(usize),
    WriteOutcome(usize),
    /// The holder is paused, or gone: the lease ends by time alone.
    EndLease,
    /// Finance records, now or before, and confirms.
    Record(Message),
    Receive(Message),
    /// Faults.
    Fail(Message),
    Double(Message),
    Lose(Message),
    TimeOut(usize),
    Crash(usize),
}

impl Relay {
    fn token(self) -> Option<u8> {
        match self {
            Self::Idle => None,
            Self::Claimed(token) | Self::Sent(token) | Self::Confirmed(token) | Self::Failed(token) => Some(token),
        }
    }
}

impl Message {
    fn token(self) -> u8 {
        let (Self::Request(token) | Self::Confirmation(token) | Self::Failure(token)) = self;
        token
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

impl State {
    fn is_held(&self) -> bool {
        self.relays.iter().any(|relay| relay.token() == Some(self.claim_seq))
    }

    fn is_on_its_way(&self, token: u8) -> bool {
        self.network.iter().any(|message| message.token() == token)
    }

    fn spend_fault(&mut self) -> Option<()> {
        self.faults_left = self.faults_left.checked_sub(1)?;
        Some(())
    }
}

impl Model for Outbox {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
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
        actions.push(Action::EndLease);
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
                // Without a fault only what was lost is given up.
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
            Property::always("no lease on what is finished", |_, state: &State| {
                !state.finished || state.lease == Lease::None
            }),
            // Every step leads on and faults are bounded, so that no path is endless: none comes to rest before.
            Property::always("at rest it is finished", |outbox: &Self, state: &State| {
                state.finished || outbox.goes_on_by_itself(state)
            }),
        ]
    }
}
