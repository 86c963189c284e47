//! The listener, which answers `/metrics` and nothing else. It has no login: bind it where only Prometheus comes.

use std::{net::TcpListener, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio_util::sync::CancellationToken;

use super::Metrics;
use crate::gate::{
    browsers::hosts,
    connections::{self, Limits},
};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Connections at once. A Prometheus keeps one.
const MAX_CONNECTIONS: usize = 16;
/// Longest wait for a client that does not read: others wait for its place.
const WRITE_TIMEOUT: Duration = Duration::from_secs(3);

/// Answers until the process ends, so that what a shutdown does is seen too.
///
/// # Errors
/// When the listener cannot be used.
pub(crate) async fn serve(listener: TcpListener, metrics: Metrics) -> anyhow::Result<()> {
    let only_local = listener.local_addr()?.ip().is_loopback();
    listener.set_nonblocking(true)?;
    let tcp = tokio::net::TcpListener::from_std(listener)?;
    let router = Router::new().route("/metrics", get(text)).with_state((metrics, only_local));
    let limits = Limits { write: WRITE_TIMEOUT, ..Limits::with_connections(Some(MAX_CONNECTIONS)) };
    connections::serve(tcp, None, limits, router, CancellationToken::new()).await;
    Ok(())
}

/// On a loopback address only names of loopback: a page of a foreign name that leads here could read the metrics.
async fn text(State((metrics, only_local)): State<(Metrics, bool)>, request: Request) -> Response {
    if only_local && !hosts::is_local(&request) {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], metrics.text()).into_response()
}
