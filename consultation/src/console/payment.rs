//! The page of one payment: what became of it so far, in order.

use std::sync::Arc;

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};
use chassis::clock;
use entity::pending_payment::Model;
use maud::{Markup, html};
use uuid::Uuid;

use super::{
    Console,
    access::{Reading, Visit},
    layout::{Page, count, message, money, say},
    snapshot::in_time,
    table::error,
    times::Times,
    unavailable,
};
use crate::outbox::{State as Progress, store};

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    id: Result<Path<Uuid>, PathRejection>,
    Reading(visit): Reading,
) -> Response {
    let Ok(Path(id)) = id else { return unknown(&visit) };
    match in_time(store::find(&console.remedies.redrive.database.read, id)).await {
        Err(error) => unavailable(&visit.path, &error),
        Ok(None) => unknown(&visit),
        Ok(Some(row)) => {
            let knows_who = visit.may_know_who() && (row.retried_by.is_some() || row.settled_by.is_some());
            visit.has_read(&[id], knows_who);
            let times = Times { zone: console.time_zone, now: clock::now() };
            let title = say("console-payment");
            let body = Payment { row: &row, times, visit: &visit }.body();
            Page { title: &title, path: &visit.path, links: &[], is_live: true, body }.show(StatusCode::OK)
        }
    }
}

pub(super) fn unknown(visit: &Visit) -> Response {
    message(StatusCode::NOT_FOUND, &visit.path, &say("console-no-payment"))
}

struct Payment<'a> {
    row: &'a Model,
    times: Times,
    visit: &'a Visit,
}

impl Payment<'_> {
    fn body(&self) -> Markup {
        let row = self.row;
        let (state, kind) = match Progress::of(row) {
            Progress::Pending => (say("console-state-pending"), "plain"),
            Progress::Processing => (say("console-state-processing"), "plain"),
            Progress::Parked => (say("console-state-parked"), "warn"),
            Progress::Finished => (say("console-state-finished"), "good"),
        };
        html! {
            @match self.visit.retried {
                None if self.visit.was_being_sent => p #notice.notice role="status" { (say("console-retried-while-sent")) },
                None => {},
                Some(0) => p #notice.notice role="status" { (say("no-pending-payment")) },
                Some(_) => p #notice.notice role="status" { (say("console-retried")) },
            }
            div #live {
                section #payment.(kind) data-news=(state) aria-labelledby="payment-title" {
                    h2 #payment-title tabindex="-1" { span.badge.(kind) { (state) } }
                    dl.facts {
                        dt { (say("console-consultation")) }
                        dd.id { (row.appointment_id) }
                        dt { (say("console-amount")) }
                        dd { (money(row.total_price_cents)) }
                        dt { (say("console-tries")) }
                        dd { (row.tries) }
                        dt { (say("console-last-error")) }
                        dd { span.error { (error(row.last_error.as_deref())) } }
                    }
                    @if self.visit.may_retry() && !row.finished {
                        form method="post" action=(format!("{}/retry", row.appointment_id)) {
                            button #retry type="submit" { (say("console-retry")) }
                        }
                    }
                    @if self.visit.may_settle() && row.parked_at.is_some() && !row.finished {
                        p { a.button #settle href=(format!("{}/settle", row.appointment_id)) { (say("console-settle")) } }
                    }
                }
                section #timeline aria-labelledby="timeline-title" {
                    h2 #timeline-title tabindex="-1" { (say("console-timeline")) }
                    (self.timeline())
                    p.note { (say("console-as-of")) " " (self.times.at(self.times.now)) " (" (self.times.zone.name()) ")" }
                }
            }
            p { a.button href="../../console" { (say("console-back")) } }
        }
    }

    fn timeline(&self) -> Markup {
        let Model { created_at, parked_at, finished_at, retried_by, lease_until, settled_at, .. } = self.row;
        let retried_by = retried_by.as_deref().filter(|_| self.visit.may_know_who());
        html! {
            ol.timeline {
                li { (say("console-made")) " " (self.times.at(*created_at)) }
                @if self.row.tries > 0 { li { (count("console-sent", self.row.tries)) } }
                @if let Some(at) = parked_at {
                    li { (say("console-parked-at")) " " (self.times.at(*at)) ". " (count("console-refused", self.row.rejections)) }
                }
                @if let Some(name) = retried_by { li { (say("console-retried-by")) " " span.error { (name) } } }
                @if let Some(at) = settled_at { li { (say("console-settled-at")) " " (self.times.at(*at)) ". " (self.settlement()) } }
                @else if let Some(at) = finished_at { li { (say("console-confirmed-at")) " " (self.times.at(*at)) } }
                // Also of a settled payment that finance has lost: it is on its way again.
                @if let Some(until) = lease_until.filter(|_| self.row.processing) {
                    li { (say("console-being-sent")) " " (self.times.at(until)) }
                } @else if !self.row.finished {
                    li { (say("console-next-try")) ": " (self.times.at(self.row.next_attempt_at)) " ("
                        (self.times.until(self.row.next_attempt_at, &say("console-now"))) ")" }
                }
            }
        }
    }

    /// Finance's amount, why it stands, and who said so.
    fn settlement(&self) -> Markup {
        let Model { settle_reason, settled_by, .. } = self.row;
        let by = settled_by.as_deref().filter(|_| self.visit.may_know_who());
        html! {
            (say("console-settle-recorded")) " " (money(self.row.amount()))
            @if let Some(reason) = settle_reason { ": " span.error { (reason) } }
            @if let Some(by) = by { " (" span.error { (by) } ")" }
        }
    }
}
