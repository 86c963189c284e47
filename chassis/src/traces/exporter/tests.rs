//! What is logged of lost spans.

use std::collections::VecDeque;

use opentelemetry::{
    Context,
    trace::{Span as _, Tracer, TracerProvider},
};
use opentelemetry_sdk::{
    error::OTelSdkError,
    trace::{SdkTracerProvider, Span, SpanProcessor},
};
use testkit::Log;

use super::{super::queue::Queued, *};

/// Collects spans until they are exported.
#[derive(Clone, Debug, Default)]
struct Waiting(Arc<Mutex<Vec<SpanData>>>);

impl SpanProcessor for Waiting {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.lock().expect("no panic").push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// A collector that answers so.
#[derive(Debug)]
struct Answers(Mutex<VecDeque<OTelSdkResult>>);

impl SpanExporter for Answers {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().expect("no panic").pop_front().expect("an answer")
    }
}

#[tokio::test]
async fn each_span_is_exported_or_counted_as_lost() {
    let refused = Err(OTelSdkError::InternalFailure("refused".to_owned()));
    let answers = Answers(Mutex::new([Ok(()), refused, Ok(())].into()));
    let (queue, waiting, log) = (Queue::new(2), Waiting::default(), Log::capture());
    let exporter = Logged::new("test", answers, Arc::clone(&queue));
    let queued = Queued { queue, processor: waiting.clone() };
    let tracer = SdkTracerProvider::builder().with_span_processor(queued).build().tracer("test");
    let mut lines = Vec::new();
    for ended in [5, 2, 1] {
        (0..ended).for_each(|_| tracer.start("span").end());
        let batch = std::mem::take(&mut *waiting.0.lock().expect("no panic"));
        assert_eq!(batch.len(), ended.min(2));
        exporter.export(batch).await.expect("told in the log alone");
        lines.push(log.text().lines().last().unwrap_or_default().to_owned());
    }
    assert!(lines[0].contains("the queue was full") && lines[0].ends_with("lost=3"), "{lines:?}");
    assert_eq!(lines[1], lines[0], "one line a minute");
    assert!(lines[2].contains("sent again") && lines[2].ends_with("lost=5"), "{lines:?}");
}
