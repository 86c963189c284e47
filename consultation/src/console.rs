//! The console at `/console`: what is on its way to finance, and what holds it up, for people. Pages are made here and
//! work without script; `console.js` only refreshes them.
//!
//! Roles are those of the API: reading stands for `pendingPayments`, a retry for `retryPendingPayment`, a
//! settlement for `settlePendingPayment`.
//! All addresses are relative: a proxy may serve the console below a prefix.

mod access;
mod assets;
mod chart;
pub(crate) mod finance;
mod layout;
mod overview;
mod payment;
mod recent;
mod retry;
mod settle;
mod snapshot;
mod state;
mod system;
mod table;
mod times;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    middleware,
    response::{Redirect, Response},
    routing::{any, get, post},
};
use chrono_tz::Tz;
use reqwest::Url;

use crate::outbox::{Activity, Remedies};
use layout::{message, say};
use snapshot::Unread;

/// Own files, and nothing inline. `data:` is for the icon that is none.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'self'; \
     frame-ancestors 'none'; base-uri 'none'",
);
/// With `no-referrer` browsers would send the forms with the origin `null`, as from another site.
const REFERRER: HeaderValue = HeaderValue::from_static("same-origin");

/// What the pages show and do.
#[derive(Clone, Debug)]
pub(crate) struct Console {
    /// Retries and settles payments, and has the database.
    pub(crate) remedies: Remedies,
    /// What the relay of this process did.
    pub(crate) activity: Arc<Activity>,
    /// Finance's GraphQL endpoint.
    pub(crate) finance: Url,
    /// The time zone of the times on the pages.
    pub(crate) time_zone: Tz,
}

/// The routes below `/console`.
pub(crate) fn router(console: Console) -> Router {
    Router::new()
        .route("/console", get(overview::show))
        .route("/console/", get(async || Redirect::temporary("../console")))
        .route("/console/payments/{id}", get(payment::show))
        .route("/console/payments/{id}/retry", post(retry::one))
        .route(
            "/console/payments/{id}/settle",
            get(settle::ask).post(settle::settle).layer(DefaultBodyLimit::max(settle::MAX_FORM_BYTES)),
        )
        .route("/console/parked/retry", get(retry::confirm).post(retry::parked))
        .route("/console/{*path}", any(no_page))
        .merge(assets::router())
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::map_response(harden))
        .with_state(Arc::new(console))
}

async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::REFERRER_POLICY, REFERRER);
    response
}

async fn no_page(uri: Uri) -> Response {
    message(StatusCode::NOT_FOUND, uri.path(), &say("console-no-page"))
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    // The browser's own back and reload make GETs of what was a form.
    let text = if method == Method::GET { "console-only-by-button" } else { "console-wrong-method" };
    message(StatusCode::METHOD_NOT_ALLOWED, uri.path(), &say(text))
}

/// The page of a retry or detail that the database did not answer.
fn unavailable(path: &str, unread: &Unread) -> Response {
    unread.tell();
    message(StatusCode::SERVICE_UNAVAILABLE, path, &unread.text())
}
