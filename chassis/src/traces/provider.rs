//! The SDK, set up by its standard variables, once they were checked.

use std::{thread, time::Duration};

use anyhow::{Context, anyhow};
use opentelemetry::{Key, KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchSpanProcessor, SdkTracerProvider},
};

use super::{Tracing, exporter::Logged, sampler::ByLinks, settings::Settings};
use crate::http_client;

const SERVICE_NAME: Key = Key::from_static_str("service.name");

/// None if no traces are wanted.
pub(super) fn of(service: &'static str) -> anyhow::Result<Option<Tracing>> {
    let Some(Settings { endpoint, timeout, sampler }) = Settings::of_environment()? else { return Ok(None) };
    let exporter = exporter(timeout).with_context(|| format!("{endpoint}: no traces can be sent"))?;
    let provider = SdkTracerProvider::builder()
        .with_span_processor(BatchSpanProcessor::builder(Logged::new(service, exporter)).build())
        .with_sampler(ByLinks { other: sampler })
        .with_resource(resource(service))
        .build();
    let tracer = provider.tracer(service);
    tracing::info!("{service}: traces are sent, as {endpoint} says");
    Ok(Some(Tracing { provider, tracer }))
}

/// On a thread of its own, without a runtime: the client blocks, since the SDK's thread that uses it has no runtime. Its
/// headers are credentials, with which it follows no redirect.
fn exporter(timeout: Duration) -> anyhow::Result<SpanExporter> {
    let exporter = move || -> anyhow::Result<_> {
        let client = http_client::blocking().timeout(timeout).build()?;
        Ok(SpanExporter::builder().with_http().with_http_client(client).build()?)
    };
    thread::scope(|scope| scope.spawn(exporter).join()).map_err(|_| anyhow!("the client panicked"))?
}

/// The name of the service, unless a variable gives another, and the attributes of `OTEL_RESOURCE_ATTRIBUTES`.
fn resource(service: &'static str) -> Resource {
    let given = Resource::builder().build();
    let is_named = given.get(&SERVICE_NAME).is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let resource = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if is_named { resource.build() } else { resource.with_service_name(service).build() }
}
