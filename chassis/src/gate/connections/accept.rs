//! Accept loop.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use socket2::SockRef;
use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};

use super::{http::Http, peers::Peers};
use crate::tls::Certificate;

/// Pause after a failed accept, for example without a free descriptor. The short one follows the closing of idle
/// connections.
const ACCEPT_RETRY_INTERVAL: Duration = Duration::from_millis(50);
const SHORT_ACCEPT_RETRY_INTERVAL: Duration = Duration::from_millis(1);
/// Connections that the kernel queues for the loop. A client beyond it retries only after a second.
const BACKLOG: i32 = 4096;
/// At most one log line per interval: repeated errors are alike.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

/// Serves the connections of `listener`.
pub(super) async fn accept(
    listener: TcpListener,
    peers: &Arc<Peers>,
    router: Router,
    certificate: Option<Certificate>,
) {
    let asks_clients = certificate.as_ref().is_some_and(Certificate::asks_clients);
    let http = Arc::new(Http::new(router, &peers.limits, asks_clients));
    prepare(&listener, peers.limits.send_buffer);
    let (mut errors, mut refusals) = (LogThrottle::default(), LogThrottle::default());
    loop {
        let (tcp, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) if is_about_client(&error) => continue,
            Err(error) => {
                if errors.may_log() {
                    tracing::error!(
                        %error,
                        "cannot take connections; idle ones are closed to make room: allow the process more descriptors \
                         (ulimit -n), or set --*-max-connections lower",
                    );
                }
                sleep(if peers.close_idle() { SHORT_ACCEPT_RETRY_INTERVAL } else { ACCEPT_RETRY_INTERVAL }).await;
                continue;
            }
        };
        let place = peers.admit(address);
        if place.as_ref().is_none_or(|place| place.peer.is_refused) && refusals.may_log() {
            tracing::warn!(
                connections = peers.limits.connections,
                "all connections are in use, and none is idle: others are refused; set --*-max-connections higher",
            );
        }
        if let Some(place) = place {
            let tls = certificate.as_ref().map(Certificate::acceptor);
            tokio::spawn(Arc::clone(&http).serve(tcp, place, tls));
        }
    }
}

/// Connections inherit the listener's send buffer.
fn prepare(listener: &TcpListener, send_buffer: usize) {
    let socket = SockRef::from(listener);
    if let Err(error) = socket.set_send_buffer_size(send_buffer).and_then(|()| socket.listen(BACKLOG)) {
        tracing::warn!(%error, "the socket keeps the defaults of the system");
    }
}

/// Whether the client went away before it was accepted.
fn is_about_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Allows one line per [`LOG_INTERVAL`].
#[derive(Default)]
struct LogThrottle(Option<Instant>);

impl LogThrottle {
    fn may_log(&mut self) -> bool {
        let may = self.0.is_none_or(|logged| logged.elapsed() >= LOG_INTERVAL);
        if may {
            self.0 = Some(Instant::now());
        }
        may
    }
}
