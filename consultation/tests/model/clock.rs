//! Model of one row and two relays under a database clock that is set back and forward: the row must be delivered soon
//! after the last fault.
//!
//! Times are relative to the clock, so that states are few: setting it back makes every stored time lie further ahead.
//! A unit is 5 s. The hour of a refused row and the largest error of a clock, a year, are shortened. Relays act before
//! time passes, unless they are paused. A pause is a fault. Left out: messages (see `row`); the 30 s between two
//! rescues.

mod steps;

use stateright::{Model, Property};

/// Properties of steps, not of states.
pub(crate) const IN_TIME: &str = "it is finished soon after the last fault";
pub(crate) const KEEPS_LEASE: &str = "a small step of the clock takes no lease from a relay that lives";
const RELAYS: usize = 2;

/// As in `outbox::policy`, in units.
const LEASE: u8 = 6;
const DELAY: u8 = 1;
const REFUSAL_DELAY: u8 = 12;
const LONGEST_DELAY: u8 = 2;
const LONGEST_REFUSAL_DELAY: u8 = 13;
/// After the last fault a row waits at most for a delay and then for a lease, the longest that count as possible.
const PROMISE: u8 = LONGEST_DELAY + 2 * LEASE;
const PROMISE_OF_REFUSED: u8 = LONGEST_REFUSAL_DELAY + 2 * LEASE;
/// A small step, one beyond a lease, one beyond all delays.
const STEPS: [u8; 3] = [1, 9, 60];

/// A known mistake of a model, which the checker must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    NoRescue,
    HonoursImpossibleLeases,
    NoSlack,
}

/// The system, with a bound on the number of faults.
#[derive(Clone, Debug)]
pub(crate) struct Clocked {
    pub(crate) flaw: Option<Flaw>,
    pub(crate) faults: u8,
}

#[expect(clippy::struct_excessive_bools, reason = "a state of the model is the product of its facts")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    finished: bool,
    is_refused: bool,
    /// Time until it is due, and until its lease ends. 0: in the past.
    due_in: u8,
    lease: Option<u8>,
    claim_seq: u8,
    /// The token of the claim that each relay is sending under.
    sending: [Option<u8>; RELAYS],
    /// Since the last claim: time by a clock that is never set, and the steps of the database's clock.
    lease_age: u8,
    set_back: u8,
    set_forward: bool,
    /// Time since the last fault.
    calm: u8,
    faults_left: u8,
    lost_lease: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Claim(usize),
    Confirm(usize),
    Rescue,
    TimePasses,
    /// Faults.
    Fail(usize),
    Refuse(usize),
    Crash(usize),
    SetBack(u8),
    SetForward(u8),
}

impl Model for Clocked {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State { faults_left: self.faults, ..State::default() }]
    }

    fn actions(&self, _: &State, actions: &mut Vec<Action>) {
        actions.extend([Action::Rescue, Action::TimePasses]);
        for relay in 0..RELAYS {
            let each = [Action::Claim, Action::Confirm, Action::Fail, Action::Refuse, Action::Crash];
            actions.extend(each.map(|action| action(relay)));
        }
        actions.extend(STEPS.iter().flat_map(|step| [Action::SetBack(*step), Action::SetForward(*step)]));
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        if state.finished {
            return None;
        }
        let mut next = state.clone();
        match action {
            Action::Claim(relay) => self.claim(&mut next, relay)?,
            Action::Confirm(relay) => {
                next.sending[relay].take()?;
                next.finished = true;
            }
            Action::Rescue => self.rescue(&mut next)?,
            Action::TimePasses => {
                // While something can be done, only for relays that are paused.
                if self.can_act(state) {
                    next.spend_fault()?;
                }
                next.pass_time(1);
                next.calm = (next.calm + 1).min(PROMISE_OF_REFUSED + 1);
                next.lease_age = (next.lease_age + 1).min(LEASE);
            }
            Action::Fail(relay) => next.failed(relay, DELAY, false)?,
            Action::Refuse(relay) => next.failed(relay, REFUSAL_DELAY, true)?,
            Action::Crash(relay) => {
                next.sending[relay].take()?;
                next.spend_fault()?;
            }
            Action::SetBack(step) => {
                next.spend_fault()?;
                // How far a past time lies behind the clock is not kept: here it always comes again.
                next.due_in = next.due_in.saturating_add(step);
                next.lease = next.lease.map(|left| left.saturating_add(step));
                next.set_back = next.set_back.saturating_add(step);
            }
            Action::SetForward(step) => {
                next.spend_fault()?;
                next.pass_time(step);
                next.set_forward = true;
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(IN_TIME, |_, state: &State| {
                let promise = if state.is_refused { PROMISE_OF_REFUSED } else { PROMISE };
                state.finished || state.calm <= promise
            }),
            Property::always(KEEPS_LEASE, |_, state: &State| !state.lost_lease),
            Property::sometimes("it is delivered", |_, state: &State| state.finished),
        ]
    }
}

impl Clocked {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn claim(&self, next: &mut State, relay: usize) -> Option<()> {
        let longest = if self.has(Flaw::NoSlack) { LEASE } else { 2 * LEASE };
        let is_impossible = |left: u8| left > longest && !self.has(Flaw::HonoursImpossibleLeases);
        let is_free = next.lease.is_none_or(|left| left == 0 || is_impossible(left));
        if next.due_in > 0 || !is_free || next.sending[relay].is_some() {
            return None;
        }
        let holder_lives = next.lease.is_some() && next.sending.contains(&Some(next.claim_seq));
        let is_small_step = !next.set_forward && next.set_back <= LEASE;
        next.lost_lease |= holder_lives && is_small_step && next.lease_age < LEASE;
        next.claim_seq += 1;
        next.sending[relay] = Some(next.claim_seq);
        (next.lease, next.lease_age, next.set_back, next.set_forward) = (Some(LEASE), 0, 0, false);
        Some(())
    }

    fn rescue(&self, next: &mut State) -> Option<()> {
        let longest = if next.is_refused { LONGEST_REFUSAL_DELAY } else { LONGEST_DELAY };
        if next.due_in <= longest || self.has(Flaw::NoRescue) {
            return None;
        }
        next.due_in = 0;
        Some(())
    }

    /// Whether a step can be taken now, without a fault.
    fn can_act(&self, state: &State) -> bool {
        let mut steps = (0..RELAYS).flat_map(|relay| [Action::Claim(relay), Action::Confirm(relay)]);
        steps.any(|step| self.next_state(state, step).is_some()) || self.rescue(&mut state.clone()).is_some()
    }
}
