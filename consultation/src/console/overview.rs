//! The overview: the state of the outbox in words and numbers, finance, the last 15 minutes, and tables of payments.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use chassis::clock;
use maud::{Markup, html};
use tokio::time::Instant;

use super::{
    Console,
    access::{Reading, Visit},
    finance,
    layout::{Page, count, marked, say},
    recent,
    snapshot::{ROWS, Snapshot, Unread},
    state::State as OutboxState,
    system,
    table::Table,
    times::{Times, age},
};
use crate::outbox::{Bucket, Calls};

/// Buckets of the last minute.
const MINUTE: usize = 6;

pub(super) async fn show(State(console): State<Arc<Console>>, Reading(visit): Reading) -> Response {
    let snapshot = Snapshot::read(&console.remedies.redrive.database).await.inspect_err(Unread::tell);
    let status = if snapshot.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    if let Ok(snapshot) = &snapshot {
        visit.has_read(&snapshot.consultations(), &[]);
    }
    let overview = Overview {
        times: Times { zone: console.time_zone, now: clock::now() },
        calls: console.activity.calls(),
        buckets: console.activity.buckets(Instant::now()),
        console: &console,
        snapshot,
        visit: &visit,
    };
    let links: Vec<_> = finance::graphiql(&console.finance, visit.host.as_ref()).into_iter().collect();
    let title = say("console-title");
    Page { title: &title, path: &visit.path, links: &links, is_live: true, body: overview.body() }.show(status)
}

struct Overview<'a> {
    console: &'a Console,
    visit: &'a Visit,
    times: Times,
    snapshot: Result<Snapshot, Unread>,
    calls: Calls,
    buckets: Vec<Bucket>,
}

impl Overview<'_> {
    fn body(&self) -> Markup {
        let OutboxState { text, news, kind } = OutboxState::of(&self.snapshot, self.calls.open_since.is_some());
        html! {
            @if let Some(retried) = self.visit.retried { p #notice.notice role="status" { (count("console-retried-parked", retried)) } }
            div #live {
                section #state.(kind) data-news=(news) aria-labelledby="state-title" {
                    h2 #state-title tabindex="-1" { (text) }
                    p.asof { (say("console-as-of")) " " (self.times.at(self.times.now)) " (" (self.times.zone.name()) ")" }
                    @match &self.snapshot {
                        Ok(snapshot) => (self.numbers(snapshot)),
                        Err(Unread::NotMigrated(names)) => {
                            p { (marked(&say("console-migrate"))) " " span.error { (names.join(", ")) } }
                        },
                        Err(_) => {},
                    }
                }
                (finance::section(&self.calls, &self.console.finance, self.times))
                (recent::section(&self.buckets))
                @if let Ok(snapshot) = &self.snapshot { (self.payments(snapshot)) (system::section(snapshot, self.times)) }
            }
        }
    }

    fn numbers(&self, Snapshot { backlog, .. }: &Snapshot) -> Markup {
        let minute = self.buckets.iter().rev().take(MINUTE).map(|bucket| bucket.confirmed).sum::<u32>().to_string();
        let oldest = backlog.oldest_seconds.map(age);
        let numbers = [
            ("console-pending", backlog.pending.to_string()),
            ("console-due", backlog.due.to_string()),
            ("console-in-flight", backlog.processing.to_string()),
            ("console-parked", backlog.parked.to_string()),
            ("console-oldest", oldest.unwrap_or_else(|| "–".to_owned())),
            ("console-a-minute", minute),
        ];
        html! { dl.numbers { @for (name, value) in numbers { div { dt { (say(name)) } dd { (value) } } } } }
    }

    fn payments(&self, Snapshot { backlog, parked, pending, .. }: &Snapshot) -> Markup {
        let may_retry = self.visit.may_retry();
        let (parked_caption, pending_caption) = (say("console-parked-caption"), say("console-pending-caption"));
        let (no_parked, no_pending) = (say("console-no-parked"), say("console-no-pending"));
        let times = self.times;
        let parked_table =
            Table { id: "parked", caption: &parked_caption, rows: parked, empty: &no_parked, may_retry, times };
        let pending_table = Table {
            id: "pending",
            caption: &pending_caption,
            rows: pending,
            empty: &no_pending,
            may_retry: false,
            times,
        };
        html! {
            section #parked aria-labelledby="parked-title" {
                h2 #parked-title tabindex="-1" { (say("console-parked")) }
                (parked_table.show())
                (rest(parked.len(), backlog.parked))
                @if may_retry && !parked.is_empty() {
                    p { a.button #retry-parked href="console/parked/retry" { (say("console-retry-parked")) } }
                }
            }
            section #pending aria-labelledby="pending-title" {
                h2 #pending-title tabindex="-1" { (say("console-pending")) }
                (pending_table.show())
                (rest(pending.len(), backlog.pending))
            }
        }
    }
}

/// Tells of the rows that a full table leaves out.
fn rest(shown: usize, all: i64) -> Markup {
    let is_full = shown as u64 >= ROWS;
    html! { @if is_full && all > ROWS.cast_signed() { p.note { (marked(&count("console-more", all))) } } }
}
