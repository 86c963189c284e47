//! Runs a service on a listener: its router and its background tasks.

use std::{future::Future, net::TcpListener, pin::Pin};

use anyhow::Context;
use axum::Router;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::wrong_setting,
    config,
    gate::connections::{self, Limits},
    lifecycle::Lifecycle,
    metrics::{self, Metrics},
    tls::Certificate,
    traces::Traces,
};

/// A background task: its name in logs, and its work until shutdown.
pub type Task = (&'static str, Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>);

/// A service that is ready to start.
#[expect(missing_debug_implementations, reason = "futures have none")]
pub struct Service {
    /// Answers requests.
    pub router: Router,
    /// Background tasks.
    pub tasks: Vec<Task>,
    /// What the listener of the metrics shows.
    pub metrics: Metrics,
    /// Its traces, of which the last are sent at shutdown.
    pub traces: Traces,
}

/// An open port with its certificate, if any, and its limits.
#[expect(missing_debug_implementations, reason = "it holds a key")]
pub struct Listener {
    tcp: TcpListener,
    certificate: Option<Certificate>,
    limits: Limits,
    metrics: Option<TcpListener>,
}

impl From<TcpListener> for Listener {
    fn from(tcp: TcpListener) -> Self {
        Self { tcp, certificate: None, limits: Limits::default(), metrics: None }
    }
}

impl Listener {
    /// Serves HTTPS with this certificate.
    #[must_use]
    pub fn with_certificate(self, certificate: Option<Certificate>) -> Self {
        Self { certificate, ..self }
    }

    /// Limits connections.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}

/// Opens the port.
///
/// # Errors
/// When the address is in use or not this machine's, the certificate is unusable, or the password is too weak for it.
pub fn listen(server: &config::Server) -> anyhow::Result<Listener> {
    server.refuse_weak_password().map_err(wrong_setting)?;
    let certificate = server.tls.clone().map(Certificate::load).transpose();
    let certificate =
        certificate.with_context(|| format!("{}: cannot speak TLS", server.name)).map_err(wrong_setting)?;
    let listener =
        TcpListener::bind(server.bind).with_context(|| format!("{}: cannot listen on {}", server.name, server.bind))?;
    if server.exposes_development_password() {
        tracing::warn!(
            "{}: THE PUBLIC DEVELOPMENT PASSWORD GUARDS {}; set --{}-password-file or --{}-htpasswd-file",
            server.name,
            server.bind,
            server.name,
            server.name,
        );
    }
    let metrics = server.metrics_bind.map(|bind| {
        let (name, remedy) = (server.name, "give --*-metrics-bind another address, or none");
        TcpListener::bind(bind).with_context(|| format!("{name}: cannot listen on {bind} for metrics; {remedy}"))
    });
    let metrics = metrics.transpose()?;
    let limits = Limits::with_connections(server.max_connections);
    if let Some(missing) = limits.missing_descriptors() {
        tracing::warn!(
            "{}: {missing} descriptors are missing for {} connections beside databases and files; raise ulimit -n, or \
             set --{}-max-connections lower",
            server.name,
            limits.connections,
            server.name,
        );
    }
    Ok(Listener { metrics, ..Listener::from(listener).with_certificate(certificate).with_limits(limits) })
}

/// Starts the service as tasks of `lifecycle`.
pub fn start(lifecycle: &mut Lifecycle, name: &'static str, listener: Listener, service: Service) {
    let (shutdown, mut listener) = (lifecycle.shutdown(), listener);
    let not_after = || service.metrics.certificate_not_after("server");
    listener.certificate = listener.certificate.map(|certificate| certificate.measured(not_after()));
    if let Some(metrics) = listener.metrics.take() {
        let served = metrics::serve(metrics, service.metrics);
        tokio::spawn(async move { served.await.inspect_err(|error| tracing::error!("no metrics: {error:#}")) });
    }
    lifecycle.spawn(name, serve(listener, service.router, shutdown));
    lifecycle.flush_at_end(service.traces);
    for (name, task) in service.tasks {
        lifecycle.spawn(name, task);
    }
}

/// Answers requests until shutdown, then finishes those in progress. Each request's extensions hold its client's
/// address as `ConnectInfo<SocketAddr>`.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(listener: impl Into<Listener>, router: Router, shutdown: CancellationToken) -> anyhow::Result<()> {
    let Listener { tcp, certificate, limits, .. } = listener.into();
    tcp.set_nonblocking(true)?;
    let tcp = tokio::net::TcpListener::from_std(tcp)?;
    if let Some(certificate) = &certificate {
        tokio::spawn(certificate.clone().keep_renewed(shutdown.clone()));
    }
    connections::serve(tcp, certificate, limits, router, shutdown).await;
    Ok(())
}
