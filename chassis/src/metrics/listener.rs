//! The listener, which answers `/metrics` and nothing else. It has no login: bind it where only Prometheus comes.

use std::net::TcpListener;

use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};
use tokio_util::sync::CancellationToken;

use super::Metrics;
use crate::gate::connections::{self, Limits};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Connections at once. A Prometheus keeps one.
const MAX_CONNECTIONS: usize = 16;

/// Answers until shutdown.
pub(crate) async fn serve(listener: TcpListener, metrics: Metrics, shutdown: CancellationToken) -> anyhow::Result<()> {
    listener.set_nonblocking(true)?;
    let tcp = tokio::net::TcpListener::from_std(listener)?;
    let router = Router::new().route("/metrics", get(text)).with_state(metrics);
    connections::serve(tcp, None, Limits::with_connections(Some(MAX_CONNECTIONS)), router, shutdown).await;
    Ok(())
}

async fn text(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], metrics.text())
}
