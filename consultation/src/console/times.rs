//! Times and durations for people: by the clocks of the clinic, in units that both languages share.

use chassis::language::Language;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use maud::{Markup, html};

/// How a page shows times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) zone: Tz,
    pub(super) now: DateTime<Utc>,
}

impl Times {
    /// A time, with its date unless that is today.
    pub(super) fn at(self, time: DateTime<Utc>) -> Markup {
        let (local, today) = (time.with_timezone(&self.zone), self.now.with_timezone(&self.zone).date_naive());
        let format = match Language::current() {
            _ if local.date_naive() == today => "%H:%M:%S",
            Language::English => "%Y-%m-%d %H:%M:%S",
            Language::Portuguese => "%d/%m/%Y %H:%M:%S",
        };
        element(time, &local.format(format).to_string())
    }

    /// The time that has passed since.
    pub(super) fn since(self, time: DateTime<Utc>) -> Markup {
        element(time, &duration(self.now - time))
    }

    /// The time until then, or `due`.
    pub(super) fn until(self, time: DateTime<Utc>, due: &str) -> Markup {
        let wait = time - self.now;
        if wait <= TimeDelta::zero() { element(time, due) } else { element(time, &duration(wait)) }
    }
}

fn element(time: DateTime<Utc>, text: &str) -> Markup {
    html! { time datetime=(time.to_rfc3339_opts(SecondsFormat::Secs, true)) { (text) } }
}

/// A duration in its largest unit. A clock that was set back makes none.
pub(super) fn duration(duration: TimeDelta) -> String {
    match duration.max(TimeDelta::zero()) {
        duration if duration < TimeDelta::minutes(2) => format!("{} s", duration.num_seconds()),
        duration if duration < TimeDelta::hours(2) => format!("{} min", duration.num_minutes()),
        duration if duration < TimeDelta::days(2) => format!("{} h", duration.num_hours()),
        duration => format!("{} d", duration.num_days()),
    }
}

/// An age in seconds, by the database's clock.
#[expect(clippy::cast_possible_truncation, reason = "seconds of centuries fit")]
pub(super) fn age(seconds: f64) -> String {
    duration(TimeDelta::seconds(seconds as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_its_largest_unit() {
        let expected = [
            (-5, "0 s"),
            (999, "0 s"),
            (119_999, "119 s"),
            (120_000, "2 min"),
            (7_200_000, "2 h"),
            (172_800_000, "2 d"),
        ];
        for (milliseconds, expected) in expected {
            assert_eq!(duration(TimeDelta::milliseconds(milliseconds)), expected);
        }
    }
}
