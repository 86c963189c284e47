//! The only reader of the wall clock; all other code takes the time as an argument.

use chrono::{DateTime, SubsecRound, Utc};
use uuid::{NoContext, Timestamp, Uuid};

/// The time in UTC, to the millisecond. Both databases and the API keep this precision, so a written time equals the
/// one that is read back.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

/// A UUIDv7 of `time`: ids sort by time.
#[must_use]
pub fn id_at(time: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(time.timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, time.timestamp_subsec_nanos()))
}

/// A new UUIDv7 by this process's clock, for order only: no rule may depend on its time.
#[must_use]
pub fn new_id() -> Uuid {
    id_at(now())
}

/// The time in a UUIDv7; `None` for other ids.
#[must_use]
pub fn time_of(id: Uuid) -> Option<DateTime<Utc>> {
    let (seconds, nanoseconds) = id.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)
}

/// The smallest id that [`id_at`] makes for `time` or later. It turns a period into a range of ids.
#[must_use]
pub fn first_id_at(time: DateTime<Utc>) -> Uuid {
    let milliseconds = u64::try_from(time.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &[0; 10]).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ordered_by_the_time_they_are_made_from() {
        let time = DateTime::from_timestamp_millis(1_627_905_600_123).expect("a time");
        let later = time + chrono::TimeDelta::milliseconds(1);
        assert!(first_id_at(time) <= id_at(time) && id_at(time) < first_id_at(later));
        assert!(first_id_at(DateTime::<Utc>::MIN_UTC) <= first_id_at(time));
    }
}
