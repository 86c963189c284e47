//! End dates as clients give them: with an offset, or as clocks show it where the clinic is.

use chassis::{clock, graphql::scalars::DateTime};
use chrono::{LocalResult, TimeZone, Utc};
use chrono_tz::Tz;

use crate::{consultation::InvalidEndDate, messages::MESSAGES};

/// The point in time that is meant, or why there is none, for people who call it `argument`.
pub(crate) fn at(end_date: DateTime, time_zone: Tz, argument: &str) -> Result<chrono::DateTime<Utc>, String> {
    let local = match end_date {
        DateTime::Utc(time) => return Ok(time),
        DateTime::Local(local) => local,
    };
    let refusal = |why: &str| Err(MESSAGES.text(why, &[("argument", &argument), ("zone", &time_zone)]));
    match time_zone.from_local_datetime(&local) {
        LocalResult::Single(time) => Ok(clock::to_milliseconds(time.to_utc())),
        LocalResult::Ambiguous(..) => refusal("happens-twice"),
        LocalResult::None => refusal("does-not-exist"),
    }
}

/// Why an end date was refused, for people who call it `argument`.
pub(crate) fn explain(refusal: InvalidEndDate, argument: &str) -> String {
    let message = match refusal {
        InvalidEndDate::NotAfterStart => "not-after-start",
        InvalidEndDate::PriceTooLarge => "price-too-large",
    };
    MESSAGES.text(message, &[("argument", &argument), ("maximum", &entity::Money::MAX)])
}
