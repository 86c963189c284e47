//! Takes connections from the network, for ever.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use socket2::SockRef;
use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};

use super::{http::Http, peers::Peers};
use crate::tls::Certificate;

/// Without a descriptor for another connection the loop waits for one, shortly if idle connections are closed for it.
const PAUSE: Duration = Duration::from_millis(50);
const SHORT_PAUSE: Duration = Duration::from_millis(1);
/// Connections that wait for the loop. Where there is no room for one, its client tries again only after a second.
const BACKLOG: i32 = 4096;
/// Each such error is like the one before.
const LOG_EVERY: Duration = Duration::from_mins(1);

/// Serves what comes in at `listener`.
pub(super) async fn accept(
    listener: TcpListener,
    peers: &Arc<Peers>,
    router: Router,
    certificate: Option<Certificate>,
) {
    let http = Arc::new(Http::new(router, &peers.limits));
    prepare(&listener, peers.limits.send_buffer);
    let (mut errors, mut refusals) = (Paced::default(), Paced::default());
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
                sleep(if peers.close_idle() { SHORT_PAUSE } else { PAUSE }).await;
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

/// Its connections inherit the send buffer.
fn prepare(listener: &TcpListener, send_buffer: usize) {
    let socket = SockRef::from(listener);
    if let Err(error) = socket.set_send_buffer_size(send_buffer).and_then(|()| socket.listen(BACKLOG)) {
        tracing::warn!(%error, "the socket keeps the defaults of the system");
    }
}

/// The client went away before it was taken.
fn is_about_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Lets one line through in [`LOG_EVERY`].
#[derive(Default)]
struct Paced(Option<Instant>);

impl Paced {
    fn may_log(&mut self) -> bool {
        let may = self.0.is_none_or(|logged| logged.elapsed() >= LOG_EVERY);
        if may {
            self.0 = Some(Instant::now());
        }
        may
    }
}
