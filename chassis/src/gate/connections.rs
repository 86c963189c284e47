//! Connections of clients: accepted, counted, limited and drained.
//!
//! The accept loop is ours: axum-server's cannot finish, count or close a single connection.

mod accept;
mod bodies;
mod http;
mod limits;
mod peer;
mod peers;
mod stream;
mod unread;
mod watch;

use std::{sync::Arc, time::Duration};

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::tls::Certificate;
pub use limits::{Limits, max_connections};
use peers::Peers;

/// Time for requests to end at shutdown. The rest of the drain is for background tasks, which end after the requests
/// that need them.
const REQUEST_DRAIN_TIMEOUT: Duration = Duration::from_secs(8);

/// Serves connections until shutdown, then drains them.
pub(crate) async fn serve(
    listener: TcpListener,
    certificate: Option<Certificate>,
    limits: Limits,
    router: Router,
    shutdown: CancellationToken,
) {
    let peers = Arc::new(Peers::new(limits));
    let serving = async {
        shutdown.run_until_cancelled(accept::accept(listener, &peers, router, certificate)).await;
        peers.drain(REQUEST_DRAIN_TIMEOUT).await;
    };
    tokio::select! {
        () = serving => {}
        () = watch::watch(&peers) => {}
    }
}
