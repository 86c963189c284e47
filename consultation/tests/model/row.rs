//! The model: what `outbox::store` and the relay do to a row, as steps that other steps may come between.
//!
//! Left out: time (a row is always due; backoff and the breaker decide when, not what), batches (rows do not
//! know each other), and refusals (they change the row as failures do).

use std::collections::BTreeSet;

use stateright::{Model, Property};

/// Properties of steps, not of states.
pub(crate) const STAYS: &str = "finished stays finished";
pub(crate) const FENCE: &str = "a stale lease changes nothing";
pub(crate) const ONE_LEASE: &str = "no two leases at once";
const RELAYS: usize = 3;
/// The most that a model which gives up tries.
const GIVE_UP_AFTER: u8 = 2;

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
            Action::EndLease => end_lease(&mut next)?,
            Action::Record(message) => self.record(&mut next, message)?,
            Action::Receive(message) => receive(&mut next, message)?,
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
            // Each step but a fault leads on, so that every path ends: this is about all of them.
            Property::eventually("finished in the end", |_, state: &State| state.finished),
        ]
    }
}

impl Outbox {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn claim(&self, next: &mut State, relay: usize) -> Option<()> {
        let free = next.lease != Lease::Valid || self.has(Flaw::ClaimIgnoresLease);
        let tired = self.has(Flaw::GiveUp) && next.claim_seq >= GIVE_UP_AFTER;
        if next.relays[relay] != Relay::Idle || next.finished || !free || tired {
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

    fn send(&self, next: &mut State, relay: usize) -> Option<()> {
        let Relay::Claimed(token) = next.relays[relay] else { return None };
        if self.has(Flaw::FinishBeforeConfirm) {
            (next.finished, next.lease) = (true, Lease::None);
        }
        next.relays[relay] = Relay::Sent(token);
        next.network.insert(Message::Request(token));
        Some(())
    }

    fn record(&self, next: &mut State, message: Message) -> Option<()> {
        let Message::Request(token) = message else { return None };
        next.network.remove(&message);
        next.network.insert(Message::Confirmation(token));
        next.payments = if self.has(Flaw::NoUniqueKey) { next.payments + 1 } else { 1 };
        Some(())
    }

    /// A success counts whoever saw it, a failure only under the lease in which it happened.
    fn write_outcome(&self, next: &mut State, relay: usize) -> Option<()> {
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

/// For nothing if nobody holds the row any more; else the holder is too slow, which is a fault.
fn end_lease(next: &mut State) -> Option<()> {
    if next.lease != Lease::Valid {
        return None;
    }
    if next.is_held() {
        next.spend_fault()?;
    }
    next.lease = Lease::Ended;
    Some(())
}

/// Only by the relay that waits for it; what comes too late is dropped.
fn receive(next: &mut State, message: Message) -> Option<()> {
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
