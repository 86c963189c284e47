//! A payment as a line: of a table of 100 columns, or a JSON object.

use chassis::telemetry::one_line;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::outbox::{State, store::Listed};

/// Columns of a terminal that a line fits.
const WIDTH: usize = 100;

/// The first line of the table.
pub(super) const HEADER: &str = "CONSULTATION                         STATE         AMOUNT TRIES  AGE NEXT LAST ERROR";

/// A line of the table. A wide value shortens the error.
pub(super) fn text(Listed { row, now }: &Listed) -> String {
    let state = State::of(row);
    let next = match row.next_attempt_at - now {
        // It is being sent.
        _ if state == State::Processing => "-".to_owned(),
        wait if wait <= TimeDelta::zero() => "now".to_owned(),
        wait => short(wait),
    };
    let (id, amount, age) = (row.appointment_id, row.total_price_cents.to_string(), short(*now - row.created_at));
    let facts = format!("{id} {state:10} {amount:>9} {:>5} {age:>4} {next:>4}", row.tries);
    let error = one_line(row.last_error.as_deref().unwrap_or_default());
    let room = WIDTH.saturating_sub(facts.len() + 1);
    if error.chars().count() <= room {
        format!("{facts} {error}").trim_end().to_owned()
    } else {
        let beginning: String = error.chars().take(room.saturating_sub(1)).collect();
        format!("{facts} {beginning}…")
    }
}

/// A duration in its largest unit, at most four characters up to 27 years. A clock that was set back makes none.
fn short(duration: TimeDelta) -> String {
    match duration.max(TimeDelta::zero()) {
        duration if duration < TimeDelta::minutes(1) => format!("{}s", duration.num_seconds()),
        duration if duration < TimeDelta::hours(1) => format!("{}m", duration.num_minutes()),
        duration if duration < TimeDelta::days(2) => format!("{}h", duration.num_hours()),
        duration => format!("{}d", duration.num_days()),
    }
}

/// A payment for programs, by the names of the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payment<'a> {
    consultation_id: Uuid,
    status: State,
    total_price: String,
    tries: i64,
    age_seconds: i64,
    created_at: String,
    next_attempt_at: String,
    last_error: Option<&'a str>,
    retried_by: Option<&'a str>,
}

pub(super) fn json(Listed { row, now }: &Listed) -> serde_json::Result<String> {
    serde_json::to_string(&Payment {
        consultation_id: row.appointment_id,
        status: State::of(row),
        total_price: row.total_price_cents.to_string(),
        tries: row.tries,
        age_seconds: (*now - row.created_at).num_seconds(),
        created_at: time(row.created_at),
        next_attempt_at: time(row.next_attempt_at),
        last_error: row.last_error.as_deref(),
        retried_by: row.retried_by.as_deref(),
    })
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_its_largest_unit() {
        for (seconds, expected) in
            [(-5, "0s"), (59, "59s"), (60, "1m"), (3_599, "59m"), (3_600, "1h"), (172_799, "47h"), (172_800, "2d")]
        {
            assert_eq!(short(TimeDelta::seconds(seconds)), expected);
        }
    }
}
