//! What a client knows of a consultation.

use std::ops::Range;

use tokio::time::Instant;
use uuid::Uuid;

use crate::api::{Answer, Lost, cents};

/// A repetition is answered with what is stored.
pub(super) const ALREADY_FINISHED: &str = "CONSULTATION_ALREADY_FINISHED";

/// What came of a finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With the price in cents.
    Acknowledged(i64),
    Refused,
    Unknown,
}

/// What a client was told, and when it asked and was answered.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) id: Uuid,
    pub(crate) outcome: Outcome,
    /// Whether the client said when it ended; otherwise it ended when it was finished.
    pub(crate) has_end: bool,
    /// From the first call to the answer.
    pub(crate) start: Range<Instant>,
    /// From the first call to the last answer.
    pub(crate) finish: Range<Instant>,
}

impl Told {
    /// Started just now, by calls of which the first was made at `begun`.
    pub(crate) fn started(id: Uuid, begun: Instant) -> Self {
        let now = Instant::now();
        Self { id, outcome: Outcome::Unknown, has_end: false, start: begun..now, finish: now..now }
    }

    /// An answer to a finish, the first or a later one, came just now.
    pub(crate) fn finished(&mut self, answer: &Result<Answer, Lost>) {
        self.finish.end = Instant::now();
        self.outcome = match answer {
            Ok(Answer::Done(price)) => Outcome::Acknowledged(cents(price)),
            Ok(Answer::Refused(code, price)) if code == ALREADY_FINISHED => Outcome::Acknowledged(cents(price)),
            Ok(Answer::Refused(..)) => Outcome::Refused,
            Err(Lost) => Outcome::Unknown,
        };
    }
}
