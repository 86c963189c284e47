//! The SDK, set up by its standard variables.

use std::{env, sync::Arc, thread};

use anyhow::{Context, anyhow, bail, ensure};
use opentelemetry::{Key, KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, SpanExporter};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchSpanProcessor, Sampler, SdkTracerProvider, ShouldSample},
};
use reqwest::Url;

use super::{
    Tracing,
    exporter::Logged,
    queue::{Queue, Queued},
    sampler::ByLinks,
};
use crate::http_client;

/// The sampled share of traces by default. At 15,000 requests a second all would fill the exporter's queue of 2,048
/// spans within a fraction of a second.
const SAMPLED: f64 = 0.05;

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";
const SERVICE_NAME: Key = Key::from_static_str("service.name");

/// None without an endpoint.
pub(super) fn of(service: &'static str) -> anyhow::Result<Option<Tracing>> {
    let endpoints = [OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT];
    let mut endpoints = endpoints.into_iter().filter_map(|variable| Some((variable, setting(variable)?)));
    let Some((variable, endpoint)) = endpoints.next() else { return Ok(None) };
    // The SDK would find out when it sends, and tell no cause.
    let is_http = endpoint.parse::<Url>().is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    // Without the value: it may hold a password.
    ensure!(is_http, "{variable}: want the URL of a collector, as in http://127.0.0.1:4318");
    let exporter = exporter().with_context(|| format!("{variable}: no traces can be sent"))?;
    let other = sampler()?;
    let queue = Queue::of_environment();
    let exporter = Logged::new(service, exporter, Arc::clone(&queue));
    let provider = SdkTracerProvider::builder()
        .with_span_processor(Queued { queue, processor: BatchSpanProcessor::builder(exporter).build() })
        .with_sampler(ByLinks { other })
        .with_resource(resource(service))
        .build();
    let tracer = provider.tracer(service);
    tracing::info!("{service}: traces are sent, as {variable} says");
    Ok(Some(Tracing { provider, tracer }))
}

/// A variable that is not empty.
fn setting(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}

/// On a thread of its own, without a runtime: the client blocks, since the SDK's thread that uses it has no runtime.
fn exporter() -> anyhow::Result<SpanExporter> {
    http_client::provide_cryptography();
    let exporter = || SpanExporter::builder().with_http().build();
    let exporter = thread::scope(|scope| scope.spawn(exporter).join());
    Ok(exporter.map_err(|_| anyhow!("the client panicked"))??)
}

/// The samplers of the specification. The SDK would replace a wrong one by a sampler that takes everything.
fn sampler() -> anyhow::Result<Box<dyn ShouldSample>> {
    let name = setting(SAMPLER).unwrap_or_else(|| "parentbased_traceidratio".to_owned());
    let (is_parent_based, root) = name.strip_prefix("parentbased_").map_or((false, &*name), |root| (true, root));
    let root = match root {
        "always_on" => Sampler::AlwaysOn,
        "always_off" => Sampler::AlwaysOff,
        "traceidratio" => Sampler::TraceIdRatioBased(share()?),
        _ => bail!("{SAMPLER}={name}: want always_on, always_off or traceidratio, or one of them after parentbased_"),
    };
    Ok(Box::new(if is_parent_based { Sampler::ParentBased(Box::new(root)) } else { root }))
}

fn share() -> anyhow::Result<f64> {
    let Some(given) = setting(SAMPLER_ARGUMENT) else { return Ok(SAMPLED) };
    let share = given.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.with_context(|| format!("{SAMPLER_ARGUMENT}={given}: want a share from 0 to 1, as in 0.05"))
}

/// The name of the service, unless a variable gives another, and the attributes of `OTEL_RESOURCE_ATTRIBUTES`.
fn resource(service: &'static str) -> Resource {
    let given = Resource::builder().build();
    let is_named = given.get(&SERVICE_NAME).is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let resource = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if is_named { resource.build() } else { resource.with_service_name(service).build() }
}
