//! Serving: a service is a router and its background tasks; this starts both on a listener.

use std::{
    future::Future,
    net::{SocketAddr, TcpListener},
    pin::Pin,
    time::Duration,
};

use anyhow::Context;
use axum::Router;
use axum_server::Handle;
use tokio_util::sync::CancellationToken;

use crate::{cli::wrong_setting, config, lifecycle::Lifecycle, request_id, tls::Certificate};

/// How long a client may take to send its request's head: slower ones only hold connections.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// Leaves the rest of the drain to the background tasks, which end after the requests that need them.
const REQUEST_DRAIN_LIMIT: Duration = Duration::from_secs(8);

/// A task of a service: its name in logs, and the work until shutdown.
pub type Task = (&'static str, Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>);

/// A service that is ready to start.
#[expect(missing_debug_implementations, reason = "futures have none")]
pub struct Service {
    /// What it answers.
    pub router: Router,
    /// What it does by itself.
    pub tasks: Vec<Task>,
}

/// An open port, and the certificate to show there, if any.
#[expect(missing_debug_implementations, reason = "it holds a key")]
pub struct Listener {
    tcp: TcpListener,
    certificate: Option<Certificate>,
}

impl From<TcpListener> for Listener {
    fn from(tcp: TcpListener) -> Self {
        Self { tcp, certificate: None }
    }
}

impl Listener {
    /// Speaks HTTPS with this certificate.
    #[must_use]
    pub fn with_certificate(self, certificate: Option<Certificate>) -> Self {
        Self { certificate, ..self }
    }
}

/// Opens the port.
///
/// # Errors
/// When the address is taken or not this machine's, or the certificate cannot be used.
pub fn listen(server: &config::Server) -> anyhow::Result<Listener> {
    let certificate = server.tls.clone().map(Certificate::load).transpose();
    let certificate =
        certificate.with_context(|| format!("{}: cannot speak TLS", server.name)).map_err(wrong_setting)?;
    let listener =
        TcpListener::bind(server.bind).with_context(|| format!("{}: cannot listen on {}", server.name, server.bind))?;
    listener.set_nonblocking(true)?;
    if server.exposes_development_password() {
        tracing::warn!(
            "{}: THE PUBLIC DEVELOPMENT PASSWORD GUARDS {}; set --{}-password-file or --{}-htpasswd-file",
            server.name,
            server.bind,
            server.name,
            server.name,
        );
    }
    Ok(Listener::from(listener).with_certificate(certificate))
}

/// Starts the service as tasks of `lifecycle`.
pub fn start(lifecycle: &mut Lifecycle, name: &'static str, listener: Listener, service: Service) {
    let shutdown = lifecycle.shutdown();
    lifecycle.spawn(name, serve(listener, service.router, shutdown));
    for (name, task) in service.tasks {
        lifecycle.spawn(name, task);
    }
}

/// Answers requests until shutdown, then finishes those that were begun.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: impl Into<Listener>, router: Router, shutdown: CancellationToken) -> anyhow::Result<()> {
    let Listener { tcp, certificate } = listener.into();
    let app = request_id::identify(router).into_make_service();
    let server = axum_server::from_tcp(tcp)?;
    let Some(certificate) = certificate else {
        return Ok(until(shutdown, server).serve(app).await?);
    };
    let server = server.acceptor(certificate.acceptor());
    tokio::spawn(certificate.keep_renewed(shutdown.clone()));
    Ok(until(shutdown, server).serve(app).await?)
}

fn until<A>(
    shutdown: CancellationToken,
    server: axum_server::Server<SocketAddr, A>,
) -> axum_server::Server<SocketAddr, A> {
    let handle = Handle::<SocketAddr>::new();
    let drain = handle.clone();
    tokio::spawn(async move {
        shutdown.cancelled().await;
        drain.graceful_shutdown(Some(REQUEST_DRAIN_LIMIT));
    });
    let mut server = server.handle(handle).first_request_timeout(HEAD_PATIENCE);
    server.http_builder().http1().header_read_timeout(HEAD_PATIENCE);
    server
}
