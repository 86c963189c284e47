//! Tables of payments. On a narrow screen each row is a card, whose cells have the names of their columns.

use chassis::telemetry::one_line;
use maud::{Markup, html};

use super::{
    layout::{money, say},
    times::Times,
};
use crate::outbox::store::Listed;

/// Characters of an error in a row: three lines.
const MAX_ERROR_LENGTH: usize = 160;

/// A table.
pub(super) struct Table<'a> {
    /// Its id, and the beginning of those of its rows.
    pub(super) id: &'a str,
    pub(super) caption: &'a str,
    pub(super) rows: &'a [Listed],
    /// What stands there without rows.
    pub(super) empty: &'a str,
    /// Whether each row has a button.
    pub(super) may_retry: bool,
    pub(super) times: Times,
}

const COLUMNS: [&str; 6] = [
    "console-consultation",
    "console-amount",
    "console-tries",
    "console-age",
    "console-next-try",
    "console-last-error",
];

impl Table<'_> {
    pub(super) fn show(&self) -> Markup {
        if self.rows.is_empty() {
            return html! { p.empty { (self.empty) } };
        }
        // The roles are those of the elements. Where rows are cards, browsers take them from the elements.
        html! {
            table role="table" {
                caption { (self.caption) }
                thead role="rowgroup" {
                    tr role="row" {
                        @for column in COLUMNS { th scope="col" role="columnheader" { (say(column)) } }
                        @if self.may_retry { th scope="col" role="columnheader" { (say("console-action")) } }
                    }
                }
                tbody role="rowgroup" { @for listed in self.rows { (self.row(listed)) } }
            }
        }
    }

    fn row(&self, Listed { row, now }: &Listed) -> Markup {
        let id = row.appointment_id;
        let times = Times { now: *now, ..self.times };
        let [consultation, amount, tries, age, next, last_error] = COLUMNS.map(say);
        html! {
            tr role="row" {
                th scope="row" role="rowheader" data-label=(consultation) {
                    a.id id=(format!("{}-{id}", self.id)) href=(format!("console/payments/{id}")) { (id) }
                }
                td.number role="cell" data-label=(amount) { (money(row.total_price_cents)) }
                td.number role="cell" data-label=(tries) { (row.tries) }
                td.number role="cell" data-label=(age) { (times.since(row.created_at)) }
                td.number role="cell" data-label=(next) { (times.until(row.next_attempt_at, &say("console-now"))) }
                td.error role="cell" data-label=(last_error) { (beginning(row.last_error.as_deref())) }
                @if self.may_retry {
                    td role="cell" {
                        form method="post" action=(format!("console/payments/{id}/retry")) {
                            button id=(format!("retry-{id}")) type="submit" { (say("console-retry")) span.hidden { " " (id) } }
                        }
                    }
                }
            }
        }
    }
}

/// The last error of a payment, without what a line of text should not hold.
pub(super) fn error(text: Option<&str>) -> String {
    text.map_or_else(|| "–".to_owned(), one_line)
}

/// The beginning of the last error. The page of the payment has all of it.
fn beginning(text: Option<&str>) -> String {
    let error = error(text);
    match error.char_indices().nth(MAX_ERROR_LENGTH) {
        None => error,
        Some((end, _)) => format!("{}…", &error[..end]),
    }
}
