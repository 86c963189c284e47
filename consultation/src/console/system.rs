//! The last reconciliation, and the version.

use chrono::TimeDelta;
use entity::reconciliation::Model;
use maud::{Markup, html};

use super::{
    layout::{marked, say},
    snapshot::Snapshot,
    times::Times,
};
use crate::messages::MESSAGES;

/// Once a day, and an hour of grace: the bound of the alert `ReconcileMissed`.
const DAILY: TimeDelta = TimeDelta::hours(25);

pub(super) fn section(Snapshot { reconciled, .. }: &Snapshot, times: Times) -> Markup {
    html! {
        section #system aria-labelledby="system-title" {
            h2 #system-title tabindex="-1" { (say("console-system")) }
            dl.facts {
                dt { (say("console-reconciled")) }
                dd {
                    @match reconciled {
                        Ok(Some(last)) => { (verdict(last, times)) " " (times.at(last.ended_at)) ": " (counts(last)) },
                        Ok(None) => (marked(&say("console-not-reconciled"))),
                        Err(unread) => (unread.text()),
                    }
                }
                dt { (say("console-version")) }
                dd { (env!("CARGO_PKG_VERSION")) }
            }
        }
    }
}

fn verdict(last: &Model, times: Times) -> Markup {
    let (verdict, kind) = match last {
        Model { differences: 1.., .. } => ("console-disagree", "bad"),
        Model { overdue: 1.., .. } => ("console-overdue", "warn"),
        Model { ended_at, .. } if times.now - *ended_at > DAILY => ("console-agreed", "warn"),
        _ => ("console-agree", "good"),
    };
    html! { span.badge.(kind) { (say(verdict)) } }
}

fn counts(Model { consultations, payments, in_transit, overdue, differences, .. }: &Model) -> String {
    MESSAGES.text(
        "console-reconciled-counts",
        &[
            ("consultations", consultations),
            ("payments", payments),
            ("transit", in_transit),
            ("overdue", overdue),
            ("differences", differences),
        ],
    )
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    #[test]
    fn an_agreement_of_more_than_25_hours_ago_is_a_warning() {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let times = Times { zone: chrono_tz::UTC, now };
        let ended = |hours, differences| Model {
            singleton: true,
            ended_at: now - TimeDelta::hours(hours),
            consultations: 1,
            payments: 1,
            in_transit: 0,
            overdue: 0,
            differences,
        };
        let kind = |last| verdict(&last, times).into_string();
        assert!(kind(ended(25, 0)).contains("badge good\">Both sides agree<"));
        assert!(kind(ended(26, 0)).contains("badge warn\">Both sides agreed more than a day ago<"));
        assert!(kind(ended(26, 1)).contains("badge bad"), "differences stay until the next comparison");
    }
}
