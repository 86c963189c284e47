//! The model of one row and what operators do about it: another program records another amount, a conflict is settled,
//! finance is restored from a backup without the payment, and the payment is sent again.
//!
//! Left out: messages that are lost or late (see `row`). A restore takes longer than a lease and a command's calls, so
//! nobody has read or sent anything before it and writes after it.

use stateright::{Model, Property};

pub(crate) const AGREE: &str = "at rest both sides agree";
pub(crate) const DELIVERED: &str = "what is finished was in finance";
pub(crate) const STANDS: &str = "what is confirmed is what stands";
pub(crate) const STAYS: &str = "a settlement stays, and only a redelivery takes a row back";
pub(crate) const NEEDED: &str = "nothing is sent again that another command has sent again";
const RELAYS: usize = 2;
const OPERATORS: usize = 2;

/// A known mistake of a model, which the checker must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    SettlesWhatIsNotRefused,
    RefusalOverridesSettlement,
    SendsThePriceAgain,
    SendsAgainWithoutComparing,
}

/// The system, with a bound on payments of another program, on restores and on slow relays.
#[derive(Clone, Debug)]
pub(crate) struct Remedied {
    pub(crate) flaw: Option<Flaw>,
    pub(crate) faults: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Amount {
    Ours,
    Theirs,
}

/// What a relay knows, with the fencing token of its claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Relay {
    Idle,
    Sent(u8, Amount),
    Confirmed(Amount),
    Refused(u8),
}

/// What an operator's command has read, and will write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Operator {
    Idle,
    Settles(Amount),
    SendsAgain(u8),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    finished: bool,
    parked: bool,
    settled: Option<Amount>,
    claim_seq: u8,
    redeliveries: u8,
    relays: [Relay; RELAYS],
    operators: [Operator; OPERATORS],
    recorded: Option<Amount>,
    was_recorded: bool,
    faults_left: u8,
    violated: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Send(usize),
    Record(usize),
    WriteResult(usize),
    ReadFinance(usize),
    WriteRemedy(usize),
    /// Faults.
    OtherRecords,
    Restore,
}

impl Model for Remedied {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            finished: false,
            parked: false,
            settled: None,
            claim_seq: 0,
            redeliveries: 0,
            relays: [Relay::Idle; RELAYS],
            operators: [Operator::Idle; OPERATORS],
            recorded: None,
            was_recorded: false,
            faults_left: self.faults,
            violated: None,
        }]
    }

    fn actions(&self, _: &State, actions: &mut Vec<Action>) {
        for relay in 0..RELAYS {
            actions.extend([Action::Send(relay), Action::Record(relay), Action::WriteResult(relay)]);
        }
        for operator in 0..OPERATORS {
            actions.extend([Action::ReadFinance(operator), Action::WriteRemedy(operator)]);
        }
        actions.extend([Action::OtherRecords, Action::Restore]);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Send(relay) => self.send(&mut next, relay)?,
            Action::Record(relay) => record(&mut next, relay)?,
            Action::WriteResult(relay) => self.write_result(&mut next, relay)?,
            Action::ReadFinance(operator) => self.read_finance(&mut next, operator)?,
            Action::WriteRemedy(operator) => self.write_remedy(&mut next, operator)?,
            Action::OtherRecords => {
                next.faults_left = next.faults_left.checked_sub(1)?;
                next.recorded = next.recorded.is_none().then_some(Some(Amount::Theirs))?;
                next.was_recorded = true;
            }
            Action::Restore => {
                next.faults_left = next.faults_left.checked_sub(1)?;
                next.recorded.take()?;
                (next.relays, next.operators) = ([Relay::Idle; RELAYS], [Operator::Idle; OPERATORS]);
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(STAYS, |_, state: &State| state.violated != Some(STAYS)),
            Property::always(NEEDED, |_, state: &State| state.violated != Some(NEEDED)),
            Property::always(STANDS, |_, state: &State| state.violated != Some(STANDS)),
            Property::always(DELIVERED, |_, state: &State| !state.finished || state.was_recorded),
            Property::always(AGREE, |model: &Self, state: &State| {
                let agree = state.finished && state.recorded == Some(state.settled.unwrap_or(Amount::Ours));
                agree || model.goes_on_by_itself(state)
            }),
        ]
    }
}

impl Remedied {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// A claim and its request. A claim beside another relay's is a fault: that one has outlived its lease.
    fn send(&self, next: &mut State, relay: usize) -> Option<()> {
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

    fn write_result(&self, next: &mut State, relay: usize) -> Option<()> {
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

    fn read_finance(&self, next: &mut State, operator: usize) -> Option<()> {
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

    fn write_remedy(&self, next: &mut State, operator: usize) -> Option<()> {
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

    /// Whether a step can be taken without a fault.
    fn goes_on_by_itself(&self, state: &State) -> bool {
        let calm = State { faults_left: 0, ..state.clone() };
        let mut actions = Vec::new();
        self.actions(&calm, &mut actions);
        actions.into_iter().any(|action| self.next_state(&calm, action).is_some())
    }
}

/// Finance records, now or before, or refuses.
fn record(next: &mut State, relay: usize) -> Option<()> {
    let Relay::Sent(token, amount) = next.relays[relay] else { return None };
    let recorded = *next.recorded.get_or_insert(amount);
    next.was_recorded = true;
    next.relays[relay] = if recorded == amount { Relay::Confirmed(amount) } else { Relay::Refused(token) };
    Some(())
}
