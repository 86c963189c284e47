//! OpenTelemetry's standard variables, checked at the start. The SDK would ignore a wrong one, or panic.

#[cfg(test)]
mod tests;

use std::{env, fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

use anyhow::{Context, bail, ensure};
use axum::http::{HeaderName, HeaderValue, Uri};
use opentelemetry_otlp::{
    OTEL_EXPORTER_OTLP_COMPRESSION, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS,
    OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT,
    OTEL_EXPORTER_OTLP_TRACES_COMPRESSION, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_HEADERS,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT,
};
use opentelemetry_sdk::trace::{
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE, OTEL_BSP_MAX_QUEUE_SIZE, OTEL_BSP_SCHEDULE_DELAY, Sampler, ShouldSample,
};
use reqwest::Url;

const DISABLED: &str = "OTEL_SDK_DISABLED";
const EXPORTER: &str = "OTEL_TRACES_EXPORTER";
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

/// The sampled share of traces by default. At 15,000 requests a second all would fill the exporter's queue of 2,048
/// spans within a fraction of a second.
const SAMPLED: f64 = 0.05;

/// Spans that may wait. The queue takes its memory at the start.
const QUEUE_SIZES: RangeInclusive<usize> = 1..=65_536;
/// The SDK's default.
const QUEUE_SIZE: usize = 2_048;

/// Milliseconds between exports. At less than 10 the exporter's thread would be busy with waiting.
const DELAYS: RangeInclusive<u64> = 10..=600_000;

/// Milliseconds for an export.
const TIMEOUTS: RangeInclusive<u64> = 1..=600_000;

/// Reads a variable.
type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// How traces are sampled and sent. The SDK reads the checked variables that have no field here.
#[derive(Debug)]
pub(super) struct Settings {
    /// The variable of the endpoint.
    pub(super) endpoint: &'static str,
    pub(super) timeout: Duration,
    /// Spans that may wait. The SDK reads it too.
    pub(super) queue: usize,
    pub(super) sampler: Box<dyn ShouldSample>,
}

impl Settings {
    /// Those of the environment. None if no traces are wanted.
    pub(super) fn of_environment() -> anyhow::Result<Option<Self>> {
        Self::read(&|variable| Some(env::var_os(variable)?.to_string_lossy().into_owned()))
    }

    fn read(variables: Variables<'_>) -> anyhow::Result<Option<Self>> {
        let endpoints = [OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT];
        let Some((endpoint, url)) = first(variables, endpoints) else { return Ok(None) };
        let is_disabled = choice(variables, [DISABLED], &["true", "false"])?.is_some_and(|choice| choice == "true");
        let has_exporter = choice(variables, [EXPORTER], &["otlp", "none"])?.is_none_or(|choice| choice == "otlp");
        if is_disabled || !has_exporter {
            return Ok(None);
        }
        let Some(sampler) = sampler(variables)? else { return Ok(None) };
        check_endpoint(endpoint, &url)?;
        [OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_TRACES_HEADERS]
            .into_iter()
            .try_for_each(|variable| check_headers(variable, &variables(variable).unwrap_or_default()))?;
        let protocols = [OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, OTEL_EXPORTER_OTLP_PROTOCOL];
        choice(variables, protocols, &["http/protobuf"])?;
        let compressions = [OTEL_EXPORTER_OTLP_TRACES_COMPRESSION, OTEL_EXPORTER_OTLP_COMPRESSION];
        choice(variables, compressions, &["gzip", "none"])?;
        let queue = number(variables, [OTEL_BSP_MAX_QUEUE_SIZE], &QUEUE_SIZES)?.unwrap_or(QUEUE_SIZE);
        number(variables, [OTEL_BSP_MAX_EXPORT_BATCH_SIZE], &QUEUE_SIZES)?;
        number(variables, [OTEL_BSP_SCHEDULE_DELAY], &DELAYS)?;
        let timeouts = [OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, OTEL_EXPORTER_OTLP_TIMEOUT];
        let timeout = number(variables, timeouts, &TIMEOUTS)?;
        let timeout = timeout.map_or(OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT, Duration::from_millis);
        Ok(Some(Self { endpoint, timeout, queue, sampler }))
    }
}

/// The first of these variables that is not empty: the one for traces precedes the one for all signals.
fn first<const N: usize>(variables: Variables<'_>, names: [&'static str; N]) -> Option<(&'static str, String)> {
    names.into_iter().find_map(|name| Some((name, variables(name).filter(|value| !value.is_empty())?)))
}

/// No error has the value: it may hold a password.
fn check_endpoint(variable: &str, url: &str) -> anyhow::Result<()> {
    // The SDK wants a URI, its client a URL.
    let parsed = url.parse::<Uri>().ok().and_then(|_| url.parse::<Url>().ok());
    let parsed = parsed.filter(|url| matches!(url.scheme(), "http" | "https"));
    let url =
        parsed.with_context(|| format!("{variable}: want the URL of a collector, as in http://127.0.0.1:4318"))?;
    let has_user = !url.username().is_empty() || url.password().is_some();
    ensure!(!has_user, "{variable}: credentials in the URL are not sent; use {OTEL_EXPORTER_OTLP_HEADERS}");
    Ok(())
}

/// The SDK would leave a wrong header out, and send spans without credentials. No error has the value.
fn check_headers(variable: &str, headers: &str) -> anyhow::Result<()> {
    let is_header = |header: &str| {
        header.split_once('=').is_some_and(|(name, value)| {
            name.trim().parse::<HeaderName>().is_ok() && value.trim().parse::<HeaderValue>().is_ok()
        })
    };
    let are_headers = headers.split_terminator(',').all(is_header);
    ensure!(are_headers, "{variable}: want headers between commas, as in authorization=Bearer%20TOKEN,x-tenant=one");
    Ok(())
}

fn choice<const N: usize>(
    variables: Variables<'_>,
    names: [&'static str; N],
    wanted: &[&'static str],
) -> anyhow::Result<Option<&'static str>> {
    let Some((name, value)) = first(variables, names) else { return Ok(None) };
    let choice = wanted.iter().find(|wanted| wanted.eq_ignore_ascii_case(&value));
    Ok(Some(choice.with_context(|| format!("{name}={value}: want {}", wanted.join(" or ")))?))
}

fn number<T: FromStr + PartialOrd + Display, const N: usize>(
    variables: Variables<'_>,
    names: [&'static str; N],
    range: &RangeInclusive<T>,
) -> anyhow::Result<Option<T>> {
    let Some((name, value)) = first(variables, names) else { return Ok(None) };
    let number = value.parse().ok().filter(|number| range.contains(number));
    let wanted = || format!("{name}={value}: want a whole number from {} to {}", range.start(), range.end());
    number.with_context(wanted).map(Some)
}

/// The samplers of the specification. None if nothing is ever sampled.
fn sampler(variables: Variables<'_>) -> anyhow::Result<Option<Box<dyn ShouldSample>>> {
    let name = first(variables, [SAMPLER]).map_or("parentbased_traceidratio".to_owned(), |(_, name)| name);
    let (is_parent_based, root) = name.strip_prefix("parentbased_").map_or((false, &*name), |root| (true, root));
    let root = match root {
        "always_on" => Sampler::AlwaysOn,
        "always_off" if !is_parent_based => return Ok(None),
        "always_off" => Sampler::AlwaysOff,
        "traceidratio" => Sampler::TraceIdRatioBased(share(variables)?),
        _ => bail!("{SAMPLER}={name}: want always_on, always_off or traceidratio, or one of them after parentbased_"),
    };
    Ok(Some(Box::new(if is_parent_based { Sampler::ParentBased(Box::new(root)) } else { root })))
}

fn share(variables: Variables<'_>) -> anyhow::Result<f64> {
    let Some((name, given)) = first(variables, [SAMPLER_ARGUMENT]) else { return Ok(SAMPLED) };
    let share = given.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.with_context(|| format!("{name}={given}: want a share from 0 to 1, as in 0.05"))
}
