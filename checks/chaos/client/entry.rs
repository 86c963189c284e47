//! The entry of a consultation in the clients' log.

use std::ops::Range;

use sea_orm::prelude::DateTimeUtc;
use tokio::time::Instant;
use uuid::Uuid;

use crate::api::{Answer, Lost, cents};

/// The refusal of a repeated finish; it carries the stored consultation.
pub(super) const ALREADY_FINISHED: &str = "CONSULTATION_ALREADY_FINISHED";

/// The refusal of a call for a cancelled consultation.
pub(super) const CANCELLED: &str = "CONSULTATION_CANCELLED";

/// The outcome of a finish or a cancellation, as its client knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Finished, with the price in cents.
    Acknowledged(i64),
    Cancelled,
    Refused,
    Unknown,
}

/// The calls of a client for one consultation, and the outcome. One that is finished and cancelled at once has two.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts about calls, of which none excludes another")]
pub(crate) struct Entry {
    pub(crate) id: Uuid,
    pub(crate) outcome: Outcome,
    /// Whether the client asked to cancel. Otherwise it asked to finish.
    pub(crate) is_cancellation: bool,
    /// Whether this call ended the consultation.
    pub(crate) has_won: bool,
    /// Whether an answer was lost: that call may have ended the consultation.
    pub(crate) has_lost_answers: bool,
    /// The start of a consultation that was entered afterwards.
    pub(crate) start_date: Option<DateTimeUtc>,
    /// Whether the finish had an end date. Otherwise the consultation ended when it was finished.
    pub(crate) has_end: bool,
    /// From the first call to the answer.
    pub(crate) start: Range<Instant>,
    /// From the first call to the last answer.
    pub(crate) finish: Range<Instant>,
}

impl Entry {
    /// A consultation that was started just now. The first call was made at `begun`.
    pub(crate) fn started(id: Uuid, begun: Instant, start_date: Option<DateTimeUtc>) -> Self {
        let now = Instant::now();
        Self {
            id,
            outcome: Outcome::Unknown,
            is_cancellation: false,
            has_won: false,
            has_lost_answers: false,
            start_date,
            has_end: false,
            start: begun..now,
            finish: now..now,
        }
    }

    /// Adds an answer to a finish or a cancellation that came just now.
    pub(crate) fn ended(&mut self, answer: &Result<Answer, Lost>) {
        self.finish.end = Instant::now();
        self.has_won |= matches!(answer, Ok(Answer::Done(_)));
        self.has_lost_answers |= answer.is_err();
        self.outcome = match answer {
            Ok(Answer::Done(_)) if self.is_cancellation => Outcome::Cancelled,
            Ok(Answer::Refused(code, _)) if code == CANCELLED => Outcome::Cancelled,
            Ok(Answer::Done(price)) => Outcome::Acknowledged(cents(price)),
            Ok(Answer::Refused(code, price)) if code == ALREADY_FINISHED => Outcome::Acknowledged(cents(price)),
            Ok(Answer::Refused(..)) => Outcome::Refused,
            Err(Lost) => Outcome::Unknown,
        };
    }
}
