//! The last reconciliation, and the version.

use entity::reconciliation::Model;
use maud::{Markup, html};

use super::{
    layout::{marked, say},
    snapshot::Snapshot,
    times::Times,
};
use crate::messages::MESSAGES;

pub(super) fn section(Snapshot { reconciled, .. }: &Snapshot, times: Times) -> Markup {
    html! {
        section #system aria-labelledby="system-title" {
            h2 #system-title tabindex="-1" { (say("console-system")) }
            dl.facts {
                dt { (say("console-reconciled")) }
                dd {
                    @match reconciled {
                        Ok(Some(last)) => { (verdict(last)) " " (times.at(last.ended_at)) ": " (counts(last)) },
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

fn verdict(last: &Model) -> Markup {
    let (verdict, kind) = match last {
        Model { differences: 1.., .. } => ("console-disagree", "bad"),
        Model { overdue: 1.., .. } => ("console-overdue", "warn"),
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
