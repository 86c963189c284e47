//! The rules of starting and finishing a consultation, and its price. Pure: no database and no clock.
//!
//! Up to one hour costs one hour. Beyond, hours are rounded to two decimals, half to even, and so is their product with
//! the price per hour: the rule of the predecessor. All arithmetic is in exact decimals.

#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{Money, MoneyError, consultation::Model as Consultation};
use rust_decimal::Decimal;
use uuid::Uuid;

/// The precision of start and end: an end is later than its start.
const MIN_DURATION: TimeDelta = TimeDelta::milliseconds(1);
const MILLISECONDS_PER_HOUR: i64 = 3_600_000;

/// The clinic's settings for a finish.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The price of an hour.
    pub price_per_hour: Money,
    /// The longest duration of a consultation.
    pub longest: TimeDelta,
}

/// The consultation that has started, or the refusal.
pub type Started = Result<Consultation, PatientInConsultation>;
/// The consultation with its end and price, or the refusal.
pub type Finished = Result<Consultation, FinishRefusal>;

/// The end of a consultation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// UTC, to the millisecond.
    pub date: DateTime<Utc>,
    /// The price of the consultation.
    pub price: Money,
}

/// Refusal of a start: the patient is in this consultation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatientInConsultation(pub Box<Consultation>);

/// Refusal of a finish. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinishRefusal {
    /// No consultation has this id.
    NotFound,
    /// The consultation as it was finished before.
    AlreadyFinished(Box<Consultation>),
    /// The end date breaks a rule.
    InvalidEndDate(InvalidEndDate),
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
    /// The price would be above [`Money::MAX`].
    PriceTooLarge,
}

/// A patient is in one consultation at a time. The consultation `id` has started if it is the patient's stored one.
///
/// # Errors
/// When the patient is in another consultation.
pub fn start(id: Uuid, stored: &Consultation) -> Started {
    if stored.id == id { Ok(stored.clone()) } else { Err(PatientInConsultation(Box::new(stored.clone()))) }
}

/// Ends a consultation at `requested`, by default `now`, and prices it.
///
/// # Errors
/// When the consultation is finished already, or the end date breaks a rule.
pub fn finish(
    consultation: &Consultation,
    requested: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    rules: &Rules,
) -> Result<End, FinishRefusal> {
    if consultation.end_date.is_some() {
        return Err(FinishRefusal::AlreadyFinished(Box::new(consultation.clone())));
    }
    let start = consultation.start_date;
    // The clock may have been set back since the start.
    let date = requested.unwrap_or_else(|| now.max(start + MIN_DURATION));
    price_until(date, start, rules).map(|price| End { date, price }).map_err(FinishRefusal::InvalidEndDate)
}

fn price_until(end: DateTime<Utc>, start: DateTime<Utc>, rules: &Rules) -> Result<Money, InvalidEndDate> {
    let (duration, longest) = (end - start, rules.longest);
    if end <= start {
        return Err(InvalidEndDate::NotAfterStart);
    }
    // A mistyped end, or a forgotten finish: then now is not the end.
    if duration > longest {
        return Err(InvalidEndDate::TooLate { start, longest });
    }
    price(duration, rules.price_per_hour).map_err(|_| InvalidEndDate::PriceTooLarge)
}

/// Returns the price of a duration, to the millisecond.
fn price(duration: TimeDelta, price_per_hour: Money) -> Result<Money, MoneyError> {
    let hours = Decimal::from(duration.num_milliseconds()) / Decimal::from(MILLISECONDS_PER_HOUR);
    let hours = hours.round_dp(2).max(Decimal::ONE);
    let price = hours.checked_mul(price_per_hour.into()).ok_or(MoneyError::TooLarge)?;
    Money::try_from(price.round_dp(2))
}
