//! The exporter, whose failures are logged without a flood.

#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use tokio::time::Instant;

use super::queue::Queue;

/// Interval of log lines while exports fail: there may be several exports a second.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

/// An exporter that logs its failures, on the SDK's own thread. The SDK would log each.
#[derive(Debug)]
pub(super) struct Logged<E> {
    service: &'static str,
    exporter: E,
    queue: Arc<Queue>,
    failing: Mutex<Option<Failing>>,
}

/// The losses since the last export without one.
#[derive(Debug)]
struct Failing {
    lost: usize,
    logged: Instant,
}

impl<E> Logged<E> {
    pub(super) fn new(service: &'static str, exporter: E, queue: Arc<Queue>) -> Self {
        Self { service, exporter, queue, failing: Mutex::default() }
    }

    /// Spans are lost with their export, or while it lasts, for want of room.
    fn note(&self, spans: usize, exported: &OTelSdkResult) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let service = self.service;
        let (error, unsent) = match exported {
            Ok(()) => ("the collector is too slow: the queue was full".to_owned(), 0),
            Err(error) => (error.to_string(), spans),
        };
        match (unsent + self.queue.dropped(), failing.as_mut()) {
            (0, None) => {}
            (0, Some(Failing { lost, .. })) => {
                tracing::info!(service, lost, "traces are sent again");
                *failing = None;
            }
            (lost, None) => {
                tracing::warn!(service, %error, lost, "traces are lost: the collector does not take them");
                *failing = Some(Failing { lost, logged: Instant::now() });
            }
            (more, Some(Failing { lost, logged })) => {
                *lost += more;
                if logged.elapsed() >= LOG_INTERVAL {
                    tracing::warn!(service, %error, lost, "traces are still lost");
                    *logged = Instant::now();
                }
            }
        }
    }
}

impl<E: SpanExporter> SpanExporter for Logged<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        self.queue.left(spans);
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
