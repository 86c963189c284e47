//! Prometheus, Alertmanager and node_exporter as processes of this run, and questions to them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use reqwest::{Client, Url};
use serde_json::Value;
use testkit::free_port;
use tokio::time::{Instant, sleep};

use crate::{
    profile::Profile,
    programs::Daemon,
    settings::{self, Ports, SHIPPED},
    stack::Stack,
};

const POLL_INTERVAL: Duration = Duration::from_millis(200);
const START_TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) struct Monitor {
    http: Client,
    prometheus: String,
    alertmanager: String,
    /// Directory of textfiles for node_exporter.
    pub(crate) textfiles: PathBuf,
    _daemons: [Daemon; 3],
}

impl Monitor {
    /// Starts all three, and waits until Prometheus has read both services.
    pub(crate) async fn start(stack: &Stack, profile: Profile, directory: &Path) -> anyhow::Result<Self> {
        let [port, alertmanager, node_exporter] = [(); 3].map(|()| free_port());
        let (consultation, finance) = (stack.consultation_metrics, stack.finance_metrics);
        settings::write(directory, Ports { consultation, finance, node_exporter, alertmanager }, profile)?;
        let textfiles = directory.join("textfiles");
        std::fs::create_dir(&textfiles)?;
        let path = |name: &str| directory.join(name).display().to_string();
        let start = |program: &str, arguments: &[String]| {
            Daemon::start(program, arguments, &directory.join(format!("{program}.log")))
        };
        let daemons = [
            start(
                "prometheus-alertmanager",
                &[
                    format!("--config.file={SHIPPED}/alertmanager.yml"),
                    format!("--storage.path={}", path("alertmanager")),
                    format!("--web.listen-address=127.0.0.1:{alertmanager}"),
                    // No cluster.
                    "--cluster.listen-address=".to_owned(),
                ],
            )?,
            start(
                "prometheus-node-exporter",
                &[
                    format!("--web.listen-address=127.0.0.1:{node_exporter}"),
                    "--collector.disable-defaults".to_owned(),
                    "--collector.textfile".to_owned(),
                    format!("--collector.textfile.directory={}", textfiles.display()),
                ],
            )?,
            start(
                "prometheus",
                &[
                    format!("--config.file={}", path("prometheus.yml")),
                    format!("--storage.tsdb.path={}", path("data")),
                    format!("--web.listen-address=127.0.0.1:{port}"),
                ],
            )?,
        ];
        let http = chassis::http_client::builder().timeout(START_TIMEOUT).build()?;
        let [prometheus, alertmanager] = [port, alertmanager].map(|port| format!("http://127.0.0.1:{port}"));
        let monitor = Self { http, prometheus, alertmanager, textfiles, _daemons: daemons };
        let up = monitor.until("sum(up{job=~\"consultation|finance\"})", |up| up == Some(2.0), START_TIMEOUT).await;
        up.with_context(|| std::fs::read_to_string(directory.join("prometheus.log")).unwrap_or_default())?;
        Ok(monitor)
    }

    /// The metrics at a port, as Prometheus gets them.
    pub(crate) async fn scrape(&self, port: u16) -> anyhow::Result<String> {
        Ok(self.http.get(format!("http://127.0.0.1:{port}/metrics")).send().await?.text().await?)
    }

    /// The values of an expression: one a series, or of a scalar.
    pub(crate) async fn query(&self, expression: &str) -> anyhow::Result<Vec<f64>> {
        let url = format!("{}/api/v1/query", self.prometheus);
        let answer = self.get(Url::parse_with_params(&url, [("query", expression)])?).await?;
        let result = &answer["data"]["result"];
        let samples: Vec<_> = match answer["data"]["resultType"].as_str() {
            Some("scalar") => vec![result],
            Some("vector") => result.as_array().into_iter().flatten().map(|series| &series["value"]).collect(),
            _ => bail!("{expression}: {answer}"),
        };
        Ok(samples.iter().filter_map(|sample| sample[1].as_str()?.parse().ok()).collect())
    }

    /// Waits until the only value of an expression is as wanted; `None` stands for no series.
    pub(crate) async fn until(
        &self,
        expression: &str,
        wanted: impl Fn(Option<f64>) -> bool,
        within: Duration,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + within;
        loop {
            let found = self.query(expression).await;
            match &found {
                Ok(values) if values.len() < 2 && wanted(values.first().copied()) => return Ok(()),
                _ if Instant::now() > deadline => bail!("after {within:?} {expression} is {found:?}"),
                _ => sleep(POLL_INTERVAL).await,
            }
        }
    }

    /// Waits until a series of an expression has a finite value.
    pub(crate) async fn until_data(&self, expression: &str, within: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + within;
        loop {
            let values = self.query(expression).await?;
            if values.iter().any(|value| value.is_finite()) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("no data after {within:?}: {expression} is {values:?}");
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Names of all metrics that Prometheus has read from the services.
    pub(crate) async fn names(&self) -> anyhow::Result<BTreeSet<String>> {
        let url = format!("{}/api/v1/label/__name__/values", self.prometheus);
        let url = Url::parse_with_params(&url, [("match[]", "{job=~\"consultation|finance\"}")])?;
        Ok(texts(&self.get(url).await?["data"], ""))
    }

    /// Alerts that fire in Prometheus, and those that are active in Alertmanager.
    async fn firing(&self) -> anyhow::Result<[BTreeSet<String>; 2]> {
        let rules = self.get(format!("{}/api/v1/alerts", self.prometheus).parse()?).await?;
        let alerts = rules["data"]["alerts"].as_array().context("alerts")?;
        let firing: Value = alerts.iter().filter(|alert| alert["state"] == "firing").cloned().collect();
        let received = self.get(format!("{}/api/v2/alerts?active=true", self.alertmanager).parse()?).await?;
        Ok([firing, received].map(|alerts| texts(&alerts, "/labels/alertname")))
    }

    /// Waits until these alerts fire in both programs or, with `false`, in neither.
    pub(crate) async fn until_firing(&self, alerts: &[&str], fires: bool, within: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + within;
        loop {
            let left = self.not_yet(alerts, fires).await?;
            if left.is_empty() {
                return Ok(());
            }
            let wanted = if fires { "does not fire" } else { "still fires" };
            if Instant::now() > deadline {
                bail!("after {within:?} {wanted}: {}", left.join(", "));
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    async fn not_yet<'a>(&self, alerts: &[&'a str], fires: bool) -> anyhow::Result<Vec<&'a str>> {
        let firing = self.firing().await?;
        let is_not_yet = |alert: &&str| firing.iter().any(|alerts| alerts.contains(*alert) != fires);
        Ok(alerts.iter().copied().filter(is_not_yet).collect())
    }

    async fn get(&self, url: Url) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.http.get(url).send().await?.bytes().await?)?)
    }
}

fn texts(values: &Value, pointer: &str) -> BTreeSet<String> {
    let values = values.as_array().map(Vec::as_slice).unwrap_or_default();
    values.iter().filter_map(|value| Some(value.pointer(pointer)?.as_str()?.to_owned())).collect()
}
