//! Traces by OpenTelemetry, sent over OTLP/HTTP. Off until an endpoint is set.
//!
//! Their few spans are made by hand. A layer of `tracing` would receive no span that the filter of the log drops, and with
//! a filter for each of two layers tracing-subscriber loses events of the log (tokio-rs/tracing#2519).

mod exporter;
mod graphql;
mod provider;
mod sampler;
mod server;
mod settings;
mod span;
#[cfg(test)]
mod tests;

use std::time::Duration;

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanBuilder, SpanContext, SpanKind, TraceContextExt},
};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::cli::wrong_setting;
pub(crate) use graphql::SpanMeter;
pub(crate) use server::layered;
pub use span::Span;
use span::{MESSAGE_ID, trace_parent};

/// Time for the last spans at shutdown, whatever the collector does.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Starts the spans of a service. By default it starts none.
#[derive(Clone, Debug, Default)]
pub struct Traces(Option<Tracing>);

#[derive(Clone, Debug)]
struct Tracing {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Traces {
    /// The traces of a service, by OpenTelemetry's environment variables.
    ///
    /// # Errors
    /// When an endpoint is set, and a variable is invalid.
    pub fn of(service: &'static str) -> anyhow::Result<Self> {
        provider::of(service).map(Self).map_err(wrong_setting)
    }

    pub(crate) fn are_on(&self) -> bool {
        self.0.is_some()
    }

    /// A span for messages that are sent together, linked to the origin of each: the trace parent that was stored with the
    /// message, and the message's id. If it `goes_on` with the first origin, it is in that trace too.
    #[must_use]
    pub fn sending<'a>(
        &self,
        name: &'static str,
        origins: impl Iterator<Item = (&'a str, Uuid)>,
        goes_on: bool,
    ) -> Span {
        let Some(Tracing { tracer, .. }) = &self.0 else { return Span::default() };
        let links = origins.filter_map(|(origin, message)| Some(link(trace_parent(origin)?, message)));
        let links: Vec<_> = links.collect();
        let Some(first) = links.first() else { return Span::default() };
        let parent = Context::new();
        let parent = if goes_on { parent.with_remote_span_context(first.span_context.clone()) } else { parent };
        Span::start(tracer, SpanBuilder::from_name(name).with_kind(SpanKind::Client).with_links(links), &parent)
    }

    /// Sends the last spans, for at most two seconds.
    pub(crate) async fn flush(self) {
        let Some(Tracing { provider, .. }) = self.0 else { return };
        let flushed = spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_TIMEOUT)).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::warn!("the last traces were not sent within {} s", FLUSH_TIMEOUT.as_secs());
        }
    }
}

fn link(origin: SpanContext, message: Uuid) -> Link {
    Link::new(origin, vec![KeyValue::new(MESSAGE_ID, message.to_string())], 0)
}
