//! Refusals of the rules, with what a caller needs to go on.

use chrono::{DateTime, TimeDelta, Utc};
use entity::consultation::Model as Consultation;

/// Refusal of a start. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartRefusal {
    /// The patient is in this consultation.
    PatientInConsultation(Box<Consultation>),
    /// The start date breaks a rule.
    InvalidStartDate(InvalidStartDate),
}

/// The rule that a start date breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidStartDate {
    /// The operator allows none.
    NotAccepted,
    /// Later than now.
    InFuture {
        /// The time at which it was judged.
        now: DateTime<Utc>,
    },
    /// Longer ago than the operator allows.
    TooEarly {
        /// The longest time between a start and its entry.
        longest: TimeDelta,
    },
}

/// Refusal of a finish. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinishRefusal {
    /// No consultation has this id.
    NotFound,
    /// The consultation as it was finished before.
    AlreadyFinished(Box<Consultation>),
    /// The consultation as it was cancelled before.
    Cancelled(Box<Consultation>),
    /// The end date breaks a rule.
    InvalidEndDate(InvalidEndDate),
}

/// Refusal of a cancellation. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelRefusal {
    /// No consultation has this id.
    NotFound,
    /// The consultation as it was finished before.
    AlreadyFinished(Box<Consultation>),
    /// The consultation as it was cancelled before.
    Cancelled(Box<Consultation>),
}

/// The rule that an end date breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidEndDate {
    /// At the start or before.
    NotAfterStart,
    /// Later than the longest duration allows.
    TooLate {
        /// The start of the consultation.
        start: DateTime<Utc>,
        /// The longest duration of a consultation.
        longest: TimeDelta,
    },
    /// The price would be above [`entity::Money::MAX`].
    PriceTooLarge,
}
