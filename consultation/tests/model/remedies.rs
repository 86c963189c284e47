//! The model of one row and what operators do about it: another program records an amount, a conflict is settled,
//! finance is restored from a backup without the payment, and the payment is sent again.
//!
//! Left out: messages that are lost (see `row`). A restore takes longer than a command's calls, so no command has read
//! finance before it and writes after it. A relay may freeze for longer: what it has sent or heard, it goes on with.

mod model;
mod steps;

pub(crate) const AGREE: &str = "at rest both sides agree";
pub(crate) const DELIVERED: &str = "what is finished was in finance";
pub(crate) const STANDS: &str = "what is confirmed is what stands";
pub(crate) const STAYS: &str = "a settlement stays, and only a redelivery takes a row back";
pub(crate) const OWN: &str = "a confirmation finishes its own delivery";
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
    SettlesByThePrice,
    ConfirmsAnyDelivery,
}

/// The system, with a bound on payments of another program, on restores and on slow relays.
#[derive(Clone, Debug)]
pub(crate) struct Remedied {
    pub(crate) flaw: Option<Flaw>,
    pub(crate) faults: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Amount {
    Ours,
    Theirs,
}

/// A claim: its fencing token, and the redeliveries that the row had counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Lease {
    token: u8,
    redeliveries: u8,
}

/// What a relay knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Relay {
    Idle,
    Sent(Lease, Amount),
    Confirmed(Lease, Amount),
    Refused(Lease),
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

impl State {
    /// The amount that is sent.
    fn amount(&self) -> Amount {
        self.settled.unwrap_or(Amount::Ours)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Send(usize),
    Record(usize),
    WriteResult(usize),
    ReadFinance(usize),
    WriteRemedy(usize),
    /// Faults.
    OtherRecords(Amount),
    Restore,
}
