//! The queries of the Grafana dashboard, answered by Prometheus with data.

use std::{fs, time::Duration};

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::monitor::Monitor;

const DASHBOARD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docker/grafana/dashboards/clinic.json");
/// What Grafana takes for scrapes each 15 s. The load was within it.
const RATE_INTERVAL: &str = "1m";
/// Recorded rules follow a scrape by up to 15 s.
const EVALUATED_WITHIN: Duration = Duration::from_secs(20);

/// Asks the query of each panel. Returns what was checked.
pub(crate) async fn check(monitor: &Monitor) -> anyhow::Result<String> {
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(DASHBOARD)?)?;
    let panels = dashboard["panels"].as_array().context("panels")?.iter().filter(|panel| panel["type"] != "row");
    let panels: Vec<_> = panels.collect();
    let mut queries = 0;
    for panel in &panels {
        for target in panel["targets"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let expression = target["expr"].as_str().context("a query")?;
            let expression = expression.replace("$__rate_interval", RATE_INTERVAL).replace("$instance", ".*");
            ensure!(!expression.contains('$'), "an unknown variable: {expression}");
            monitor.until_data(&expression, EVALUATED_WITHIN).await.with_context(|| panel["title"].to_string())?;
            queries += 1;
        }
    }
    Ok(format!("{queries} queries of {} panels of the dashboard have data", panels.len()))
}
