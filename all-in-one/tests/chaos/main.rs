//! The chaos campaign: both services as real processes under real faults, then what must hold is checked
//! from outside.
//!
//! ```text
//! cargo build --workspace --bins
//! cargo test -p all-in-one --test chaos -- --profile ci --backend postgres --seed 1
//! ```
//!
//! The checker's own test wants services that make mistakes:
//!
//! ```text
//! cargo build --workspace --bins --features consultation/seeded-bugs,finance/seeded-bugs
//! cargo test -p all-in-one --test chaos -- --check-the-checker
//! ```

mod after;
mod api;
mod bugs;
mod campaign;
mod client;
mod faults;
mod history;
mod intruder;
mod invariants;
mod measure;
mod postgres;
mod profile;
mod proxy;
mod replica;
mod report;
mod stack;
mod store;
mod world;

use std::{process::ExitCode, time::Duration};

use anyhow::{anyhow, bail};
use clap::{Parser, ValueEnum};
use tokio::runtime;

use profile::Profile;

/// Time for killed processes and the cluster's directory to go.
const CLEANING_LIMIT: Duration = Duration::from_secs(10);

/// Hurts both services and checks that a finished consultation is charged exactly once.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long, default_value = "ci")]
    profile: Profile,
    #[arg(long, default_value = "postgres")]
    backend: Backend,
    /// Decides what is hurt when; random unless given, and printed
    #[arg(long)]
    seed: Option<u64>,
    /// Check that the checker finds the mistakes of services that were built with them
    #[arg(long)]
    check_the_checker: bool,
    /// Measure times instead, on PostgreSQL: about 16 minutes
    #[arg(long)]
    measure: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Backend {
    Postgres,
    Sqlite,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = run(arguments) => outcome,
            _ = tokio::signal::ctrl_c() => Err(anyhow!("interrupted")),
        }
    });
    // Whatever still runs is dropped with its processes and directories.
    runtime.shutdown_timeout(CLEANING_LIMIT);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("FAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    println!("seed {seed}");
    if arguments.measure {
        return measure::run(seed).await;
    }
    if arguments.check_the_checker {
        let wrong = bugs::check_the_checker(seed).await?;
        return if wrong.is_empty() { Ok(()) } else { Err(anyhow!("the checker is wrong:\n{}", wrong.join("\n"))) };
    }
    let backend = match arguments.backend {
        Backend::Postgres => testkit::Backend::Postgres,
        Backend::Sqlite => testkit::Backend::Sqlite,
    };
    let report = campaign::run(&arguments.profile.plan(backend, seed)).await?;
    report.print();
    let (violated, unchecked) = (report.violated(), report.unchecked());
    if !violated.is_empty() {
        bail!("violated: {}", violated.join("; "));
    }
    // SQLite has no sessions: it cannot tell who wrote, nor who is in a transaction.
    if !unchecked.is_empty() && backend == testkit::Backend::Postgres {
        bail!("not violated, but only because nothing was checked: {}", unchecked.join("; "));
    }
    Ok(())
}
