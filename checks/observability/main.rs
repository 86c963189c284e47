//! The real Prometheus, Alertmanager and node_exporter at both services: metrics by value, an outage, faults that fire
//! alerts, a fuzz, and the dashboard's queries.
//!
//! ```text
//! cargo build --workspace --bins
//! cargo test -p checks --test observability -- --profile full
//! ```

mod certificate;
mod dashboard;
mod faults;
mod fuzz;
mod load;
mod monitor;
mod outage;
mod profile;
mod programs;
mod settings;
mod stack;
mod values;

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use tokio::time::Instant;

use monitor::Monitor;
use profile::Profile;
use stack::Stack;

/// Runs Prometheus and Alertmanager with the shipped rules at both services.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long, default_value = "ci")]
    profile: Profile,
    #[arg(long, default_value = "postgres")]
    backend: Backend,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Backend {
    Postgres,
    Sqlite,
}

fn main() -> ExitCode {
    checks::run(run(Arguments::parse()))
}

async fn run(Arguments { profile, backend }: Arguments) -> anyhow::Result<()> {
    let began = Instant::now();
    let say = |done: &str| println!("{:4}s  {done}", began.elapsed().as_secs());
    programs::check_shipped_files()?;
    say("promtool and amtool: configurations are valid, each alert fires in its unit tests and does not just below");
    let directory = tempfile::tempdir()?;
    let mut stack = Stack::start(backend, directory.path()).await.context("PostgreSQL is not installed")?;
    let monitor = Monitor::start(&stack, profile, directory.path()).await?;
    for port in [stack.consultation_metrics, stack.finance_metrics] {
        programs::lint(&monitor.scrape(port).await?)?;
    }
    say("promtool: names, types and help of both services' metrics are clean");

    let subscription = load::run(&stack, &monitor).await?;
    say(&values::check(&monitor, backend).await?);
    drop(subscription);
    say(&dashboard::check(&monitor).await?);
    say(&fuzz::check(&stack, &monitor).await?);
    if profile == Profile::Quick {
        return Ok(());
    }
    outage::check(&mut stack, &monitor, profile, say).await?;
    if profile == Profile::Ci && backend == Backend::Postgres {
        faults::check(&mut stack, &monitor, say).await?;
    }
    Ok(())
}
