//! The model of one row: the end of its consultation, then the steps of `outbox::store` and of the relay, in any order.
//!
//! Left out: time (see `clock`; here a row is always due, backoff and the breaker decide when, not what), batches
//! (rows do not know each other), and refusals (they change the row as failures do).

mod model;
mod steps;

use std::collections::BTreeSet;

/// Properties of steps, not of states.
pub(crate) const STAYS: &str = "finished stays finished";
pub(crate) const FENCE: &str = "a stale lease changes nothing";
pub(crate) const ONE_LEASE: &str = "no two leases at once";
pub(crate) const FREE: &str = "what is cancelled is never charged";
pub(crate) const ONE_END: &str = "a consultation ends once";
const RELAYS: usize = 3;

/// A known mistake of a model, which the checker must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    NoFence,
    ClaimIgnoresLease,
    FinishBeforeConfirm,
    FailureOverridesSuccess,
    NoUniqueKey,
    GiveUp,
    FinishIgnoresCancel,
    CancelIgnoresFinish,
}

/// The system, with a bound on the number of faults.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    pub(crate) flaw: Option<Flaw>,
    pub(crate) faults: u8,
}

/// The consultation. A finish reads it first, and writes later. Its row is there once it is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Consultation {
    InProgress { is_read: bool },
    Finished,
    Cancelled { is_read: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Lease {
    None,
    Valid,
    Ended,
}

/// The state of a relay, with the fencing token of its claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Relay {
    Idle,
    Claimed(u8),
    Sent(u8),
    Confirmed(u8),
    Failed(u8),
}

/// A message between a relay and finance, with the relay's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Message {
    Request(u8),
    Confirmation(u8),
    Failure(u8),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    consultation: Consultation,
    /// Whether there is a row.
    is_enqueued: bool,
    finished: bool,
    lease: Lease,
    claim_seq: u8,
    relays: [Relay; RELAYS],
    network: BTreeSet<Message>,
    payments: u8,
    faults_left: u8,
    /// Names of violated properties of steps.
    violated: BTreeSet<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    ReadForFinish,
    Finish,
    Cancel,
    Claim(usize),
    Send(usize),
    WriteOutcome(usize),
    /// The lease ends by time: its holder is paused or gone.
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
