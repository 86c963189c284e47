//! The shipped settings and rules of Prometheus, with this run's addresses and times. Everything else stays as shipped:
//! each rewrite must find what it replaces.

use std::{fs, path::Path};

use anyhow::ensure;

use crate::profile::Profile;

/// Directory of what is shipped.
pub(crate) const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docker/prometheus");

/// Limits on ages in seconds, which are shortened too. The record's limit on rounds compares replicas: here is only one.
const AGES: [(&str, u32); 3] = [
    ("outbox:oldest_pending_age_seconds", 60),
    ("outbox:oldest_pending_age_seconds", 30),
    ("(outbox_relay_last_round_timestamp_seconds)", 120),
];

/// Ports of this run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) consultation: u16,
    pub(crate) finance: u16,
    pub(crate) node_exporter: u16,
    pub(crate) alertmanager: u16,
}

/// Writes `prometheus.yml` and the rules into `directory`.
pub(crate) fn write(directory: &Path, ports: Ports, profile: Profile) -> anyhow::Result<()> {
    let shipped = |name: &str| fs::read_to_string(Path::new(SHIPPED).join(name));
    let discovered = |service: &str, port: u16| {
        format!("dns_sd_configs: [{{ names: [{service}], type: A, port: {port}, refresh_interval: 15s }}]")
    };
    let target = |port: u16| format!("static_configs: [{{ targets: [\"127.0.0.1:{port}\"] }}]");
    let interval = if profile == Profile::Full { "15s" } else { "1s" };
    let prometheus = replaced(
        shipped("prometheus.yml")?,
        &[
            (&discovered("consultation", 9010), &target(ports.consultation)),
            (&discovered("finance", 9020), &target(ports.finance)),
            ("alertmanager:9093", &format!("127.0.0.1:{}", ports.alertmanager)),
            ("# - job_name: node", "- job_name: node"),
            (
                "#   static_configs: [{ targets: [\"node-exporter:9100\"] }]",
                &format!("  {}", target(ports.node_exporter)),
            ),
            ("scrape_interval: 15s", &format!("scrape_interval: {interval}")),
            ("evaluation_interval: 15s", &format!("evaluation_interval: {interval}")),
        ],
    )?;
    fs::write(directory.join("prometheus.yml"), prometheus)?;
    fs::write(directory.join("recordings.yml"), shortened(&shipped("recordings.yml")?, profile.divisor()))?;
    let mut alerts = shortened(&shipped("alerts.yml")?, profile.divisor());
    for (metric, limit) in AGES {
        let age = |limit: u32| format!("{metric} > {limit}");
        alerts = replaced(alerts, &[(&age(limit), &age(limit / profile.divisor()))])?;
    }
    Ok(fs::write(directory.join("alerts.yml"), alerts)?)
}

fn replaced(mut text: String, replacements: &[(&str, &str)]) -> anyhow::Result<String> {
    for (from, to) in replacements {
        ensure!(text.matches(from).count() == 1, "not once in the shipped file: {from}");
        text = text.replace(from, to);
    }
    Ok(text)
}

/// Divides what an alert waits for (`for: 5m`) and each range of an expression (`[1h]`).
fn shortened(rules: &str, divisor: u32) -> String {
    let line = |line: &str| match line.trim_start().strip_prefix("for: ") {
        Some(wait) => line.replace(wait, &divided(wait, divisor)),
        None => line.split('[').map(|part| range(part, divisor)).collect::<Vec<_>>().join("["),
    };
    rules.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn range(part: &str, divisor: u32) -> String {
    match part.split_once(']') {
        Some((range, rest)) => format!("{}]{rest}", divided(range, divisor)),
        None => part.to_owned(),
    }
}

/// A duration of Prometheus in one unit, divided.
fn divided(duration: &str, divisor: u32) -> String {
    let seconds = [('m', 60), ('h', 3_600), ('d', 86_400)];
    let parsed = seconds.iter().find_map(|(unit, seconds)| {
        let number: u32 = duration.strip_suffix(*unit)?.parse().ok()?;
        Some(number * seconds)
    });
    parsed.map_or_else(|| duration.to_owned(), |seconds| format!("{}s", seconds / divisor))
}
