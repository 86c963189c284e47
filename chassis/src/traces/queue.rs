//! The queue of spans for the exporter, whose losses are counted. The SDK tells of its first loss alone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};

/// Counts the spans that wait. It never lets more wait than the SDK's queue takes, so that the SDK drops none.
#[derive(Debug)]
pub(super) struct Queue {
    limit: usize,
    waiting: AtomicUsize,
    dropped: AtomicUsize,
}

impl Queue {
    /// As long as the SDK's.
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, waiting: AtomicUsize::new(0), dropped: AtomicUsize::new(0) })
    }

    fn has_taken(&self) -> bool {
        let one_more = |waiting| (waiting < self.limit).then_some(waiting + 1);
        let has_taken = self.waiting.fetch_update(Relaxed, Relaxed, one_more).is_ok();
        if !has_taken {
            self.dropped.fetch_add(1, Relaxed);
        }
        has_taken
    }

    /// The exporter has taken these spans out.
    pub(super) fn left(&self, spans: usize) {
        self.waiting.fetch_sub(spans, Relaxed);
    }

    /// Returns the number of spans that found no room since the last call.
    pub(super) fn dropped(&self) -> usize {
        self.dropped.swap(0, Relaxed)
    }
}

/// A processor that receives the spans for which there is room.
#[derive(Debug)]
pub(super) struct Queued<P> {
    pub(super) queue: Arc<Queue>,
    pub(super) processor: P,
}

impl<P: SpanProcessor> SpanProcessor for Queued<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.processor.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.queue.has_taken() {
            self.processor.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.processor.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.processor.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.processor.set_resource(resource);
    }
}
