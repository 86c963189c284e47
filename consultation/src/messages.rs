//! Texts for people, in English and Portuguese.

use std::sync::LazyLock;

use chassis::language::Messages;
use chrono::{SecondsFormat, TimeDelta};
use entity::Money;

use crate::{
    finance_client::DestinationFailed,
    rules::{InvalidEndDate, InvalidStartDate},
};

pub(crate) static MESSAGES: LazyLock<Messages> =
    LazyLock::new(|| Messages::new(include_str!("messages/en.ftl"), include_str!("messages/pt-BR.ftl")));

/// Explains the refusal of an end date to a person who calls it `argument`.
pub(crate) fn invalid_end_date(rule: InvalidEndDate, argument: &str) -> String {
    match rule {
        InvalidEndDate::NotAfterStart => MESSAGES.text("not-after-start", &[("argument", &argument)]),
        InvalidEndDate::TooLate { start, longest } => {
            let (start, longest) = (start.to_rfc3339_opts(SecondsFormat::Secs, true), in_hours(longest));
            MESSAGES.text("too-late", &[("argument", &argument), ("start", &start), ("longest", &longest)])
        }
        InvalidEndDate::PriceTooLarge => {
            MESSAGES.text("price-too-large", &[("argument", &argument), ("maximum", &Money::MAX)])
        }
    }
}

/// Explains the refusal of a start date to a person who calls it `argument`.
pub(crate) fn invalid_start_date(rule: InvalidStartDate, argument: &str) -> String {
    match rule {
        InvalidStartDate::NotAccepted => MESSAGES.text("no-backdate", &[("argument", &argument)]),
        InvalidStartDate::InFuture { now } => {
            let now = now.to_rfc3339_opts(SecondsFormat::Secs, true);
            MESSAGES.text("in-future", &[("argument", &argument), ("now", &now)])
        }
        InvalidStartDate::TooEarly { longest } => {
            MESSAGES.text("too-early", &[("argument", &argument), ("longest", &in_hours(longest))])
        }
    }
}

/// Explains that finance cannot be asked. Only a wrong setting is told in its own words, for the operator.
pub(crate) fn finance_failed(failed: &DestinationFailed) -> String {
    if failed.is_misconfigured {
        MESSAGES.text("finance-misconfigured", &[("reason", &failed.message)])
    } else {
        MESSAGES.text("finance-unavailable", &[])
    }
}

/// A duration in units that both languages share: `24 h`, or `1 h 30 min`.
fn in_hours(duration: TimeDelta) -> String {
    match (duration.num_hours(), duration.num_minutes() % 60) {
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
