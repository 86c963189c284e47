//! The settlement of a conflict: a page that shows both amounts and asks for the reason, and what its button does.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{
        Path, State,
        rejection::{BytesRejection, PathRejection},
    },
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use chassis::audit::Outcome;
use entity::{Money, pending_payment::Model};
use maud::html;
use sea_orm::DbErr;
use uuid::Uuid;

use super::{
    Console,
    access::{Settling, Visit},
    layout::{Page, message, money, say},
    payment::unknown,
    unavailable,
};
use crate::{
    messages::MESSAGES,
    outbox::{NotSettled, SettleRefusal},
    reason::{InvalidReason, MAX_REASON_LENGTH, Reason},
};

/// Bytes of a form: a reason whose characters take twelve bytes each, as an encoded emoji does.
pub(super) const MAX_FORM_BYTES: usize = 8 * 1024;

/// The page with the form.
pub(super) async fn ask(
    State(console): State<Arc<Console>>,
    id: Result<Path<Uuid>, PathRejection>,
    Settling(visit): Settling,
) -> Response {
    let Ok(Path(id)) = id else { return unknown(&visit) };
    form(&console, id, &visit, None).await
}

pub(super) async fn settle(
    State(console): State<Arc<Console>>,
    id: Result<Path<Uuid>, PathRejection>,
    Settling(visit): Settling,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Ok(Path(id)) = id else { return unknown(&visit) };
    let reason = match reason(&body.unwrap_or_default()) {
        Ok(reason) => reason,
        Err(invalid) => return form(&console, id, &visit, Some(invalid.message(&say("console-settle-reason")))).await,
    };
    let (settlements, path) = (console.remedies.settlements.clone(), visit.path.clone());
    // In a task of its own: a browser that goes away does not take the line of the audit log with it.
    let settled = tokio::spawn(async move {
        let settled = settlements.settle(id, &reason, &visit.user()).await;
        let outcome = match &settled {
            Ok(Ok(_)) => Outcome::Permitted,
            Ok(Err(_)) => Outcome::Refused,
            Err(_) => Outcome::Failed,
        };
        visit.has_retried(&[id], outcome);
        settled
    });
    match settled.await.unwrap_or_else(|panic| Err(DbErr::Custom(panic.to_string()).into())) {
        Ok(Ok(_)) => Redirect::to(&format!("../{id}")).into_response(),
        Ok(Err(refusal)) => refused(&path, &refusal),
        Err(error) => failed(&path, error),
    }
}

async fn form(console: &Console, id: Uuid, visit: &Visit, notice: Option<String>) -> Response {
    match console.remedies.settlements.conflict(id).await {
        Ok(Ok((row, recorded))) => {
            visit.has_read(&[id], false);
            conflict(&row, recorded, &visit.path, notice)
        }
        Ok(Err(refusal)) => refused(&visit.path, &refusal),
        Err(error) => failed(&visit.path, error),
    }
}

fn conflict(row: &Model, recorded: Money, path: &str, notice: Option<String>) -> Response {
    let status = if notice.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let amount = money(recorded);
    let body = html! {
        @if let Some(notice) = notice { p #notice.notice role="alert" { (notice) } }
        p { (say("console-settle-means")) }
        dl.facts {
            dt { (say("console-consultation")) }
            dd.id { (row.appointment_id) }
            dt { (say("console-settle-ours")) }
            dd { (money(row.amount())) }
            dt { (say("console-settle-recorded")) }
            dd #recorded { (amount) }
        }
        form #settle method="post" action="settle" {
            label for="reason" { (say("console-settle-reason")) " (" (say("console-settle-kept")) ")" }
            textarea #reason name="reason" rows="3" required maxlength=(MAX_REASON_LENGTH) {}
            div.actions {
                button #confirm type="submit" { (MESSAGES.text("console-settle-do", &[("amount", &amount)])) }
                a.button href=(format!("../{}", row.appointment_id)) { (say("console-settle-not")) }
            }
        }
    };
    Page { title: &say("console-settle"), path, links: &[], is_live: false, body }.show(status)
}

fn reason(body: &[u8]) -> Result<Reason, InvalidReason> {
    let mut fields = form_urlencoded::parse(body);
    fields.find(|(name, _)| name == "reason").ok_or(InvalidReason::Empty)?.1.parse()
}

fn refused(path: &str, refusal: &SettleRefusal) -> Response {
    message(StatusCode::CONFLICT, path, &say(refusal.message()))
}

fn failed(path: &str, error: NotSettled) -> Response {
    match error {
        NotSettled::Database(error) => unavailable(path, &error.into()),
        NotSettled::Finance(error) => {
            tracing::warn!(%error, "finance does not say what it has recorded");
            message(StatusCode::SERVICE_UNAVAILABLE, path, &say("finance-unavailable"))
        }
    }
}
