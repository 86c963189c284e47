//! PostGraphile, which makes a GraphQL API of a PostgreSQL database. It creates the same row as a start.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use serde_json::json;
use testkit::free_port;
use tokio::time::{Instant, sleep};

use crate::{
    arguments::Arguments,
    figures::{Limit, thousands},
    http::Connection,
    load::{Load, Measured},
    operation::Operation,
    report::Section,
    session::Numbers,
    stack::{Stack, url},
};

/// The second saturates both.
const CONNECTIONS: [usize; 2] = [32, 128];
const START_TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
const ABOUT: &str = "The row that a start creates, created by PostGraphile 5 (one process of Node.js) in the same table of \
                     the same cluster, without users, rules and ids of its own: requests in a second.";
const COLUMNS: [&str; 8] = ["connections", "start", "p50", "p99", "PostGraphile", "p50", "p99", "ratio"];

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> anyhow::Result<Section> {
    let mut section = Section::new("postgraphile", ABOUT, &COLUMNS);
    let Some(node_modules) = installed() else {
        println!("left out: npm ci --ignore-scripts --prefix checks/speed/postgraphile");
        return Ok(section);
    };
    let server = Server::start(&node_modules, &url(stack.port, "plain")).await?;
    for connections in CONNECTIONS {
        compare(&mut section, stack, arguments, &server, connections).await?;
    }
    Ok(section)
}

async fn compare(
    section: &mut Section,
    stack: &Stack,
    arguments: &Arguments,
    server: &Server,
    connections: usize,
) -> anyhow::Result<()> {
    let mut pairs = Vec::new();
    for _ in 0..arguments.rounds() {
        let load = |operation| Load { operation, connections, lasts: arguments.run() };
        stack.checkpoint().await?;
        let service = load(Operation::Start).run(&stack.services, None, &Numbers::new(1..1)).await?;
        stack.checkpoint().await?;
        let beside = load(Operation::CreateRow).run_at(server.port, &stack.services, None, &Numbers::new(1..1)).await?;
        pairs.push((service.per_second / beside.per_second, service, beside));
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (ratio, service, beside) = pairs.swap_remove(pairs.len() / 2);
    let promise = format!("start, {connections} connections, of PostGraphile");
    let verdict = section.bar(promise, ratio, Limit::AtLeast(5.0), " x");
    let cells = |measured: &Measured| {
        let Measured { per_second, latencies, .. } = measured;
        [format!("{}/s", thousands(*per_second)), latencies.text(50), latencies.text(99)]
    };
    let name = connections.to_string();
    section.row(&[&[name][..], &cells(&service), &cells(&beside), &[format!("{ratio:.2} {verdict}")]].concat());
    let figures =
        |measured: &Measured| json!({ "per_second": measured.per_second, "p50_p99_ms": measured.latencies.p50_p99() });
    section.figures.push(json!({
        "connections": connections, "ratio": ratio, "service": figures(&service), "postgraphile": figures(&beside),
    }));
    Ok(())
}

/// The directory in which npm installs it.
fn installed() -> Option<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("speed/postgraphile");
    directory.join("node_modules/postgraphile").exists().then_some(directory)
}

struct Server {
    port: u16,
    child: Child,
}

impl Server {
    async fn start(directory: &Path, url: &str) -> anyhow::Result<Self> {
        let port = free_port();
        let child = Command::new("node")
            .arg("server.mjs")
            .current_dir(directory)
            .envs([("DATABASE_URL", url), ("PORT", &port.to_string()), ("NODE_ENV", "production")])
            .env("GRAPHILE_ENV", "production")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("node")?;
        let server = Self { port, child };
        let begin = Instant::now();
        while Connection::open(port).await.is_err() {
            ensure!(begin.elapsed() < START_TIMEOUT, "PostGraphile is not ready after {START_TIMEOUT:?}");
            sleep(POLL_INTERVAL).await;
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
