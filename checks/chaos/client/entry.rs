//! The entry of a consultation in the clients' log.

use std::ops::Range;

use tokio::time::Instant;
use uuid::Uuid;

use crate::api::{Answer, Lost, cents};

/// The refusal of a repeated finish; it carries the stored consultation.
pub(super) const ALREADY_FINISHED: &str = "CONSULTATION_ALREADY_FINISHED";

/// The outcome of a finish, as its client knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With the price in cents.
    Acknowledged(i64),
    Refused,
    Unknown,
}

/// The calls of a client for one consultation, and the outcome.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: Uuid,
    pub(crate) outcome: Outcome,
    /// Whether the finish had an end date. Otherwise the consultation ended when it was finished.
    pub(crate) has_end: bool,
    /// From the first call to the answer.
    pub(crate) start: Range<Instant>,
    /// From the first call to the last answer.
    pub(crate) finish: Range<Instant>,
}

impl Entry {
    /// A consultation that was started just now. The first call was made at `begun`.
    pub(crate) fn started(id: Uuid, begun: Instant) -> Self {
        let now = Instant::now();
        Self { id, outcome: Outcome::Unknown, has_end: false, start: begun..now, finish: now..now }
    }

    /// Adds an answer to a finish that came just now.
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
