//! End dates as clients give them: with an offset, or as clocks show it where the clinic is.

use chassis::clock;
use chrono::{LocalResult, SecondsFormat, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use graphql_http::scalars::DateTime;

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
    match refusal {
        InvalidEndDate::NotAfterStart => MESSAGES.text("not-after-start", &[("argument", &argument)]),
        InvalidEndDate::TooLate { start, longest } => {
            let (start, longest) = (start.to_rfc3339_opts(SecondsFormat::Secs, true), in_hours(longest));
            MESSAGES.text("too-late", &[("argument", &argument), ("start", &start), ("longest", &longest)])
        }
        InvalidEndDate::PriceTooLarge => {
            MESSAGES.text("price-too-large", &[("argument", &argument), ("maximum", &entity::Money::MAX)])
        }
    }
}

/// A duration in words of every language: `24 h`, or `1 h 30 min`.
fn in_hours(duration: TimeDelta) -> String {
    match (duration.num_hours(), duration.num_minutes() % 60) {
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
