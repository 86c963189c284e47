//! The exporter, whose failures are logged without a flood.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use tokio::time::Instant;

/// Interval of log lines while exports fail: there may be several exports a second.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

/// An exporter that logs its failures, on the SDK's own thread. The SDK would log each.
#[derive(Debug)]
pub(super) struct Logged {
    service: &'static str,
    exporter: Otlp,
    failing: Mutex<Option<Failing>>,
}

/// The failures since the last success.
#[derive(Debug)]
struct Failing {
    lost: usize,
    logged: Instant,
}

impl Logged {
    pub(super) fn new(service: &'static str, exporter: Otlp) -> Self {
        Self { service, exporter, failing: Mutex::default() }
    }

    fn note(&self, spans: usize, exported: &OTelSdkResult) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let service = self.service;
        match (exported, failing.as_mut()) {
            (Ok(()), None) => {}
            (Ok(()), Some(Failing { lost, .. })) => {
                tracing::info!(service, lost, "traces are sent again");
                *failing = None;
            }
            (Err(error), None) => {
                tracing::warn!(service, %error, "traces are lost: the collector does not take them");
                *failing = Some(Failing { lost: spans, logged: Instant::now() });
            }
            (Err(error), Some(Failing { lost, logged })) => {
                *lost += spans;
                if logged.elapsed() >= LOG_INTERVAL {
                    tracing::warn!(service, %error, lost, "traces are still lost");
                    *logged = Instant::now();
                }
            }
        }
    }
}

impl SpanExporter for Logged {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let exported = self.exporter.export(batch).await;
        self.note(spans, &exported);
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
