//! The rules of starting, finishing and cancelling a consultation, and its price. Pure: no database and no clock.
//!
//! Up to one hour costs one hour. Beyond, hours are rounded to two decimals, half to even, and so is their product with
//! the price per hour: the rule of the predecessor. All arithmetic is in exact decimals.

mod refusals;
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{Money, MoneyError, consultation::Model as Consultation};
use rust_decimal::Decimal;
use uuid::Uuid;

pub use refusals::{CancelRefusal, FinishRefusal, InvalidEndDate, InvalidStartDate, StartRefusal};

/// The precision of start and end: an end is later than its start.
const MIN_DURATION: TimeDelta = TimeDelta::milliseconds(1);
const MILLISECONDS_PER_HOUR: i64 = 3_600_000;

/// The clinic's settings.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The price of an hour.
    pub price_per_hour: Money,
    /// The longest duration of a consultation.
    pub longest: TimeDelta,
    /// The longest time between a start and its entry. Zero: a start is entered when it happens.
    pub longest_backdate: TimeDelta,
}

/// The consultation that has started, or the refusal.
pub type Started = Result<Consultation, StartRefusal>;
/// The consultation with its end and price, or the refusal.
pub type Finished = Result<Consultation, FinishRefusal>;
/// The consultation with the time and reason of its cancellation, or the refusal.
pub type Cancelled = Result<Consultation, CancelRefusal>;

/// The end of a consultation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// UTC, to the millisecond.
    pub date: DateTime<Utc>,
    /// The price of the consultation.
    pub price: Money,
}

/// A patient is in one consultation at a time. The consultation `id` has started if it is the patient's stored one.
///
/// # Errors
/// When the patient is in another consultation.
pub fn start(id: Uuid, stored: &Consultation) -> Started {
    let stored = stored.clone();
    if stored.id == id { Ok(stored) } else { Err(StartRefusal::PatientInConsultation(Box::new(stored))) }
}

/// A start may be entered after it happened, but not before.
///
/// # Errors
/// When the date breaks a rule.
pub fn check_start_date(start: DateTime<Utc>, now: DateTime<Utc>, rules: &Rules) -> Result<(), InvalidStartDate> {
    let longest = rules.longest_backdate;
    match now - start {
        _ if longest.is_zero() => Err(InvalidStartDate::NotAccepted),
        age if age < TimeDelta::zero() => Err(InvalidStartDate::InFuture { now }),
        age if age > longest => Err(InvalidStartDate::TooEarly { longest }),
        _ => Ok(()),
    }
}

/// Ends a consultation at `requested`, by default `now`, and prices it.
///
/// # Errors
/// When the consultation has ended already, or the end date breaks a rule.
pub fn finish(
    consultation: &Consultation,
    requested: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    rules: &Rules,
) -> Result<End, FinishRefusal> {
    if consultation.cancel_reason.is_some() {
        return Err(FinishRefusal::Cancelled(Box::new(consultation.clone())));
    }
    if consultation.end_date.is_some() {
        return Err(FinishRefusal::AlreadyFinished(Box::new(consultation.clone())));
    }
    let start = consultation.start_date;
    let date = requested.unwrap_or_else(|| end_now(start, now));
    price_until(date, start, rules).map(|price| End { date, price }).map_err(FinishRefusal::InvalidEndDate)
}

/// Ends a consultation without a price. Returns the end.
///
/// # Errors
/// When the consultation has ended already.
pub fn cancel(consultation: &Consultation, now: DateTime<Utc>) -> Result<DateTime<Utc>, CancelRefusal> {
    let stored = || Box::new(consultation.clone());
    match (&consultation.end_date, &consultation.cancel_reason) {
        (None, _) => Ok(end_now(consultation.start_date, now)),
        (Some(_), None) => Err(CancelRefusal::AlreadyFinished(stored())),
        (Some(_), Some(_)) => Err(CancelRefusal::Cancelled(stored())),
    }
}

/// The clock may have been set back since the start.
fn end_now(start: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    now.max(start + MIN_DURATION)
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
