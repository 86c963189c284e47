//! The chaos campaign: both services as real processes under real faults, and a check of the invariants from outside.
//!
//! ```text
//! cargo build --workspace --bins
//! cargo test -p checks --test chaos -- --profile ci --backend postgres --seed 1
//! cargo test -p checks --test chaos -- --backend failover --only standby-lost,calm --programs target/release
//! ```
//!
//! `--backend failover` is a primary with a synchronous standby, `--backend postgres-ha` three servers under Patroni.
//! `--only` runs the named faults in their order.
//! Wrong clocks need libfaketime, a full disk needs root.
//!
//! The checker's own test needs services with seeded mistakes:
//!
//! ```text
//! cargo build --workspace --bins --features chassis/seeded-mistakes
//! cargo test -p checks --test chaos -- --check-the-checker
//! ```

mod after;
mod api;
mod campaign;
mod client;
mod clock;
mod cluster;
mod faults;
mod ground;
mod history;
mod intruder;
mod invariants;
mod measure;
mod mistakes;
mod patroni;
mod profile;
mod proxy;
mod refusals;
mod replica;
mod report;
mod restored;
mod stack;
mod store;
mod watch;
mod world;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{anyhow, bail};
use clap::Parser;

use faults::Fault;
use profile::Profile;
use stack::{Backend, Services};

/// Injects faults into both services and checks that a finished consultation is charged exactly once.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long, default_value = "ci")]
    profile: Profile,
    #[arg(long, default_value = "postgres")]
    backend: Backend,
    /// Seed of the order of faults and of the proxies' choices; by default a random one; it is printed
    #[arg(long)]
    seed: Option<u64>,
    /// Only these faults instead of a profile's, in this order
    #[arg(long, value_delimiter = ',', value_name = "FAULT", value_parser = faults::named::named)]
    only: Vec<Fault>,
    /// Number of consultations that clients start beside these faults
    #[arg(long, requires = "only", default_value_t = 300)]
    consultations: i32,
    /// Directory of the programs consultation and finance; by default where cargo built them
    #[arg(long, value_name = "DIRECTORY")]
    programs: Option<PathBuf>,
    /// Keep the logs of the services and of PostgreSQL in this directory
    #[arg(long, value_name = "DIRECTORY")]
    logs: Option<PathBuf>,
    /// Check that the checker finds the mistakes of services built with the feature seeded-mistakes
    #[arg(long)]
    check_the_checker: bool,
    /// Only these mistakes
    #[arg(long, requires = "check_the_checker", value_delimiter = ',', value_name = "MISTAKE")]
    mistakes: Vec<String>,
    /// Restore each database from an older dump instead, or all servers to a moment, and check reconciliation
    #[arg(long)]
    restored: bool,
    /// Measure times instead, on PostgreSQL: about 16 minutes
    #[arg(long)]
    measure: bool,
}

fn main() -> ExitCode {
    checks::run(run(Arguments::parse()))
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    println!("seed {seed}");
    let Arguments { backend, programs, logs, .. } = arguments;
    let services = Services { programs, logs, mistake: None };
    if arguments.measure {
        return measure::run(seed, &services).await;
    }
    if arguments.restored {
        return restored::run(backend, seed, &services).await;
    }
    if arguments.check_the_checker {
        let wrong = mistakes::check_the_checker(seed, &services, &arguments.mistakes).await?;
        return if wrong.is_empty() { Ok(()) } else { Err(anyhow!("the checker is wrong:\n{}", wrong.join("\n"))) };
    }
    let mut plan = arguments.profile.plan(backend, seed, services);
    let is_whole = arguments.only.is_empty();
    if !is_whole {
        (plan.faults, plan.consultations) = (arguments.only, arguments.consultations);
        plan.faults.insert(0, Fault::Calm(2));
    }
    let report = campaign::run(&plan).await?;
    report.print();
    let (violated, unchecked) = (report.violated(), report.unchecked());
    if !violated.is_empty() {
        bail!("violated: {}", violated.join("; "));
    }
    // SQLite has no sessions: it cannot tell who wrote, nor who is in a transaction.
    if is_whole && !unchecked.is_empty() && backend.is_postgres() {
        bail!("not violated, but only because nothing was checked: {}", unchecked.join("; "));
    }
    Ok(())
}
