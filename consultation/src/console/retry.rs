//! Retries by a button: of one payment, or of up to 100 parked ones after a page that asks.

use std::sync::Arc;

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use chassis::audit::Outcome;
use maud::html;
use sea_orm::DbErr;
use uuid::Uuid;

use super::{
    Console,
    access::Retrying,
    layout::{Page, count, say},
    payment::unknown,
    snapshot::{backlog, in_time},
    unavailable,
};
use crate::outbox::store::Redriven;

/// Payments in one transaction, and ids in a line of the audit log.
pub(super) const MOST: u8 = 100;

pub(super) async fn one(
    State(console): State<Arc<Console>>,
    id: Result<Path<Uuid>, PathRejection>,
    Retrying(visit): Retrying,
) -> Response {
    let Ok(Path(id)) = id else { return unknown(&visit) };
    let (redrive, path) = (console.remedies.redrive.clone(), visit.path.clone());
    let retry = async move {
        let redriven = redrive.one(id, &visit.user()).await;
        visit.has_retried(&[id], Outcome::from(&redriven));
        redriven
    };
    match to_its_end(retry).await {
        Ok(redriven) => {
            let retried = match redriven {
                Redriven::Due => "1",
                Redriven::Processing => "while-sent",
                Redriven::NothingToSend => "0",
            };
            Redirect::to(&format!("../{id}?retried={retried}")).into_response()
        }
        Err(error) => unavailable(&path, &error.into()),
    }
}

/// Asks before many are retried.
pub(super) async fn confirm(State(console): State<Arc<Console>>, Retrying(visit): Retrying) -> Response {
    let backlog = match in_time(backlog(&console.remedies.redrive.database)).await {
        Ok(backlog) => backlog,
        Err(error) => return unavailable(&visit.path, &error),
    };
    let title = say("console-retry-parked");
    let body = html! {
        p { (count("console-are-parked", backlog.parked)) " " (say("console-retry-means")) }
        div.actions {
            @if backlog.parked > 0 {
                form method="post" action="retry" {
                    button #confirm type="submit" { (count("console-retry-count", backlog.parked.min(MOST.into()))) }
                }
            }
            a.button href="../../console" { (say("console-back")) }
        }
    };
    Page { title: &title, path: &visit.path, links: &[], is_live: false, body }.show(StatusCode::OK)
}

pub(super) async fn parked(State(console): State<Arc<Console>>, Retrying(visit): Retrying) -> Response {
    let (redrive, path) = (console.remedies.redrive.clone(), visit.path.clone());
    let retry = async move {
        let redriven = redrive.parked(MOST.into(), &visit.user()).await;
        visit.has_retried(redriven.as_deref().unwrap_or_default(), Outcome::from(&redriven));
        redriven
    };
    match to_its_end(retry).await {
        Ok(consultations) => Redirect::to(&format!("../../console?retried={}", consultations.len())).into_response(),
        Err(error) => unavailable(&path, &error.into()),
    }
}

/// In a task of its own: a browser that goes away stops neither a transaction half-way nor its line in the audit log.
async fn to_its_end<T: Send + 'static>(
    retry: impl Future<Output = Result<T, DbErr>> + Send + 'static,
) -> Result<T, DbErr> {
    let ended = tokio::spawn(retry).await;
    ended.unwrap_or_else(|panic| Err(DbErr::Custom(panic.to_string())))
}
