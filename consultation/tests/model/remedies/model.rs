//! The actions in a state, their results, and the properties that must hold.

use stateright::{Model, Property};

use super::{
    AGREE, Action, Amount, DELIVERED, NEEDED, OPERATORS, OWN, Operator, RELAYS, Relay, Remedied, STANDS, STAYS, State,
    steps,
};

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
        let others = [Amount::Ours, Amount::Theirs].map(Action::OtherRecords);
        actions.extend(others.into_iter().chain([Action::Restore]));
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Send(relay) => self.send(&mut next, relay)?,
            Action::Record(relay) => steps::record(&mut next, relay)?,
            Action::WriteResult(relay) => self.write_result(&mut next, relay)?,
            Action::ReadFinance(operator) => self.read_finance(&mut next, operator)?,
            Action::WriteRemedy(operator) => self.write_remedy(&mut next, operator)?,
            Action::OtherRecords(amount) => {
                next.faults_left = next.faults_left.checked_sub(1)?;
                next.recorded = next.recorded.is_none().then_some(Some(amount))?;
                next.was_recorded = true;
            }
            Action::Restore => {
                next.faults_left = next.faults_left.checked_sub(1)?;
                next.recorded.take()?;
                next.operators = [Operator::Idle; OPERATORS];
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(STAYS, |_, state: &State| state.violated != Some(STAYS)),
            Property::always(OWN, |_, state: &State| state.violated != Some(OWN)),
            Property::always(NEEDED, |_, state: &State| state.violated != Some(NEEDED)),
            Property::always(STANDS, |_, state: &State| state.violated != Some(STANDS)),
            Property::always(DELIVERED, |_, state: &State| !state.finished || state.was_recorded),
            Property::always(AGREE, |model: &Self, state: &State| {
                let agree = state.finished && state.recorded == Some(state.amount());
                agree || model.goes_on_by_itself(state)
            }),
        ]
    }
}

impl Remedied {
    /// Whether a step can be taken without a fault.
    fn goes_on_by_itself(&self, state: &State) -> bool {
        let calm = State { faults_left: 0, ..state.clone() };
        let mut actions = Vec::new();
        self.actions(&calm, &mut actions);
        actions.into_iter().any(|action| self.next_state(&calm, action).is_some())
    }
}
