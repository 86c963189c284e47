//! Metrics in the OpenMetrics format, on a listener of their own.
//!
//! Each service has a registry of its own, so that two in one process do not meet. Names are OpenTelemetry's with
//! underscores, where it has one; times are in seconds. No label holds what a client chose.

mod certificates;
mod graphql;
mod http;
mod labels;
mod listener;
mod logins;
mod process;
mod writers;

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::{
    collector::Collector,
    encoding::text::encode,
    metrics::{gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Metric, Registry},
};

use certificates::Certificates;
pub(crate) use graphql::GraphqlMeter;
pub(crate) use http::{HttpMeter, known_method};
pub(crate) use listener::serve;
pub(crate) use logins::LoginMeter;
pub(crate) use writers::Queued;
pub use writers::WriterMeter;
use writers::Writers;

/// Bounds of durations in seconds: OpenTelemetry's for HTTP, and two smaller ones. A start takes 1 to 3 ms.
const DURATIONS: [f64; 16] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The metrics of a service. Clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    pub(crate) http: HttpMeter,
    pub(crate) graphql: GraphqlMeter,
    pub(crate) logins: LoginMeter,
    writers: Writers,
    certificates: Certificates,
}

impl Metrics {
    /// Those that every service has.
    #[must_use]
    pub fn new(service: &str) -> Self {
        let mut registry = Registry::default();
        let build = Info::new([("service", service.to_owned()), ("version", env!("CARGO_PKG_VERSION").to_owned())]);
        registry.register("build", "The running program", build);
        registry.register_collector(Box::new(process::Process));
        let (http, graphql) = (HttpMeter::registered(&mut registry), GraphqlMeter::registered(&mut registry));
        let (logins, writers) = (LoginMeter::registered(&mut registry), Writers::registered(&mut registry));
        let certificates = Certificates::registered(&mut registry);
        Self { registry: Arc::new(Mutex::new(registry)), http, graphql, logins, writers, certificates }
    }

    /// The metrics of a writer of this name.
    #[must_use]
    pub fn writer(&self, name: &'static str) -> WriterMeter {
        self.writers.of(name)
    }

    /// The end of the validity of a certificate, in seconds since 1970: `server` is the one that the service shows to its
    /// clients, `client` the one that it shows to another service.
    #[must_use]
    pub fn certificate_not_after(&self, certificate: &'static str) -> Gauge {
        self.certificates.of(certificate)
    }

    /// Adds a metric of the service and returns it. A counter's name gets `_total` by itself.
    pub fn register<M: Metric + Clone>(&self, name: &str, help: &str, metric: M) -> M {
        self.registry().register(name, help, metric.clone());
        metric
    }

    /// Adds metrics that are read when they are asked for.
    pub fn collect(&self, collector: impl Collector) {
        self.registry().register_collector(Box::new(collector));
    }

    /// The metrics as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String is infallible.
        let _ = encode(&mut text, &self.registry());
        text
    }

    fn registry(&self) -> std::sync::MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A histogram of durations in seconds.
#[must_use]
pub fn durations() -> Histogram {
    Histogram::new(DURATIONS)
}
