//! Start and end dates as clients give them: with an offset, or as local time of the clinic.

use chrono::{LocalResult, SubsecRound, TimeZone, Utc};
use chrono_tz::Tz;
use graphql_http::scalars::DateTime;

use crate::messages::MESSAGES;

/// Returns the point in time. A local time is read in `time_zone`.
///
/// # Errors
/// When the time zone has no such local time, or two: the message for a person who calls the date `argument`.
pub(crate) fn at(date: DateTime, time_zone: Tz, argument: &str) -> Result<chrono::DateTime<Utc>, String> {
    let local = match date {
        DateTime::Utc(time) => return Ok(time),
        DateTime::Local(local) => local,
    };
    let refusal = |why: &str| Err(MESSAGES.text(why, &[("argument", &argument), ("zone", &time_zone)]));
    match time_zone.from_local_datetime(&local) {
        LocalResult::Single(time) => Ok(time.to_utc().trunc_subsecs(3)),
        LocalResult::Ambiguous(..) => refusal("happens-twice"),
        LocalResult::None => refusal("does-not-exist"),
    }
}
