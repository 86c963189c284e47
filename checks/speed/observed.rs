//! What it costs to be observed: services with metrics, traces and logs beside services without, in turns on the same
//! databases.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;
use testkit::{Behaviour, Collector, free_port};
use tokio::time::sleep;

use crate::{
    arguments::Arguments,
    figures::{Limit, thousands},
    load::{Load, Measured, WARM_UP},
    operation::Operation,
    prepared,
    report::Section,
    session::Numbers,
    stack::{Stack, delivered},
};

const CONNECTIONS: usize = 32;
/// Upper bound of finishes per second.
const MAX_FINISHES_PER_SECOND: u64 = 30_000;
/// No other subject uses these rows.
const FIRST_ROW: u64 = 1 << 43;
/// Prometheus' usual interval is 15 s.
const SCRAPE_INTERVAL: Duration = Duration::from_secs(1);
const ABOUT: &str = "Requests in a second with 32 connections, and CPU time of the loaded service for 1,000 of them, beside \
                     services without metrics, traces and logs, in turns. Metrics are read each second.";
const COLUMNS: [&str; 6] = ["operation", "observed by", "requests", "without", "ratio", "CPU ratio"];

/// A way to be observed, or all of them switched off beside older programs.
struct Way {
    name: &'static str,
    /// The least part of the throughput that remains.
    least: f64,
    settings: Vec<(&'static str, String)>,
    /// Ports whose metrics are read.
    scraped: Vec<u16>,
    /// Directory of the programs beside it. `None`: the same ones.
    beside: Option<PathBuf>,
}

impl Way {
    fn metrics() -> Self {
        let ports = [free_port(), free_port()];
        let [consultation, finance] = ports.map(|port| format!("127.0.0.1:{port}"));
        let settings = vec![("CONSULTATION_METRICS_BIND", consultation), ("FINANCE_METRICS_BIND", finance)];
        Self { name: "metrics", least: 0.97, settings, scraped: ports.into(), beside: None }
    }

    /// The default share of 5 %.
    fn traces(collector: &Collector) -> Self {
        let settings = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.clone())];
        Self { name: "traces", least: 0.95, settings, scraped: Vec::new(), beside: None }
    }

    fn none_beside(before: &Path) -> Self {
        let (settings, scraped) = (Vec::new(), Vec::new());
        Self { name: "none, beside older programs", least: 0.99, settings, scraped, beside: Some(before.to_owned()) }
    }
}

/// A run with it, and the run without beside it.
struct Pair {
    with: Measured,
    without: Measured,
}

impl Pair {
    fn ratio(&self) -> f64 {
        self.with.per_second / self.without.per_second
    }

    /// The ratio of CPU time for a request. Other load of the machine affects it less.
    fn cpu_ratio(&self, operation: Operation) -> f64 {
        let cpu = |run: &Measured| {
            let used = if operation == Operation::Record { run.used.finance } else { run.used.consultation };
            used / run.per_second
        };
        cpu(&self.with) / cpu(&self.without)
    }
}

pub(crate) async fn run(stack: &mut Stack, arguments: &Arguments) -> anyhow::Result<Section> {
    let mut section = Section::new("observed", ABOUT, &COLUMNS);
    let collector = Collector::start(Behaviour::Forgets).await;
    let (mut next_row, mut ways) = (FIRST_ROW, vec![Way::metrics(), Way::traces(&collector)]);
    ways.extend(arguments.before.as_deref().map(Way::none_beside));
    for operation in [Operation::Start, Operation::Finish, Operation::Record] {
        let load = Load { operation, connections: CONNECTIONS, lasts: arguments.run() };
        for way in &ways {
            let mut pairs = Vec::new();
            for round in 0..arguments.rounds() {
                let mut measure = async |with| measure(stack, load, way, with, &mut next_row).await;
                // The first of two has the smaller tables.
                let first = measure(round % 2 == 0).await?;
                let second = measure(round % 2 == 1).await?;
                let (with, without) = if round % 2 == 0 { (first, second) } else { (second, first) };
                pairs.push(Pair { with, without });
            }
            pairs.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
            let ratios: Vec<_> = pairs.iter().map(Pair::ratio).collect();
            add(&mut section, operation, way, &pairs[pairs.len() / 2], &ratios);
        }
    }
    Ok(section)
}

/// Restarts the services so observed, and loads them.
async fn measure(stack: &mut Stack, load: Load, way: &Way, with: bool, next_row: &mut u64) -> anyhow::Result<Measured> {
    let database = &stack.consultation_database;
    let first = *next_row;
    if load.operation == Operation::Finish {
        *next_row += MAX_FINISHES_PER_SECOND * ((load.lasts + WARM_UP).as_secs() + 1);
        prepared::in_progress(database, first..*next_row).await?;
        prepared::tidy(database).await?;
    }
    let numbers = Numbers::new(first..*next_row);
    let (settings, scraped) = if with { (&way.settings[..], way.scraped.clone()) } else { (&[][..], Vec::new()) };
    stack.services.restart(way.beside.as_deref().filter(|_| !with), settings).await?;
    stack.checkpoint().await?;
    let scraping = tokio::spawn(scrape(scraped));
    let measured = load.run(&stack.services, None, &numbers).await;
    scraping.abort();
    let measured = measured?;
    delivered(database).await?;
    Ok(measured)
}

async fn scrape(ports: Vec<u16>) {
    let client = chassis::http_client::builder().build().expect("a client");
    loop {
        for port in &ports {
            let response = client.get(format!("http://127.0.0.1:{port}/metrics")).send().await;
            let text = response.expect("metrics").text().await.expect("a text");
            assert!(text.ends_with("# EOF\n"), "all metrics");
        }
        sleep(SCRAPE_INTERVAL).await;
    }
}

fn add(section: &mut Section, operation: Operation, way: &Way, pair: &Pair, ratios: &[f64]) {
    let (operation_name, cpu_ratio) = (operation.name(), pair.cpu_ratio(operation));
    let promise = format!("{operation_name} with {}, of without", way.name);
    let verdict = section.bar(promise, pair.ratio(), Limit::AtLeast(way.least), " x");
    section.row(&[
        operation_name.to_owned(),
        way.name.to_owned(),
        format!("{}/s", thousands(pair.with.per_second)),
        format!("{}/s", thousands(pair.without.per_second)),
        format!("{:.2} {verdict}", pair.ratio()),
        format!("{cpu_ratio:.2}"),
    ]);
    section.figures.push(json!({
        "operation": operation_name, "way": way.name, "connections": CONNECTIONS, "ratio": pair.ratio(),
        "ratios_of_rounds": ratios, "cpu_ratio": cpu_ratio,
        "with": pair.with.per_second, "without": pair.without.per_second,
    }));
}
