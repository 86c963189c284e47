//! The command line: subjects, durations, and the directory of the report.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};

const MEASURED_FOR: Duration = Duration::from_secs(5);
const QUICK_MEASURED_FOR: Duration = Duration::from_secs(1);

/// Measures the services that `cargo build --release --workspace --bins` built.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// One second instead of five for each figure, and one round: a look, not a figure to publish
    #[arg(long)]
    pub(crate) quick: bool,
    /// A history of 10 million finished consultations too
    #[arg(long)]
    full: bool,
    /// Measure these only
    #[arg(long, num_args = 1.., value_name = "NAME")]
    only: Vec<Subject>,
    /// Connections to load with
    #[arg(long, num_args = 1.., value_delimiter = ',', default_values_t = [1, 8, 32, 128], value_name = "COUNT")]
    pub(crate) connections: Vec<usize>,
    /// Number of runs of each pair of service and pgbench; the pair with the median ratio is reported [default: 3, quick: 1]
    #[arg(long, value_name = "COUNT")]
    rounds: Option<usize>,
    /// Directory for speed.json, speed.md and the plots, relative to the workspace
    #[arg(long, default_value = "target/speed", value_name = "DIR")]
    out: PathBuf,
    /// Directory of the services' programs [default: beside this one, target/release]
    #[arg(long, value_name = "DIR")]
    programs: Option<PathBuf>,
    /// Directory of older programs, for the cost of what was built since and is switched off
    #[arg(long, value_name = "DIR")]
    pub(crate) before: Option<PathBuf>,
    /// Length of the soak
    #[arg(long, default_value_t = 120, value_name = "MINUTES")]
    soak_minutes: u64,
    /// Cargo passes it to benchmarks
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    Start,
    Finish,
    Record,
    Mixed,
    /// Bearer tokens beside HTTP Basic
    Access,
    /// Metrics and traces beside none
    Observed,
    Sqlite,
    /// From finish to confirmed
    Delivery,
    /// Delivery of a backlog
    Drain,
    /// Cost beside finished consultations
    History,
    /// PostGraphile creating the same row, if npm has installed it
    Postgraphile,
    /// Time until ready, and sizes
    StartUp,
    /// Hours at half load; only by its name
    Soak,
}

impl Arguments {
    pub(crate) fn subjects(&self) -> Vec<Subject> {
        let is_wanted = |subject: &Subject| match subject {
            Subject::Soak => self.only.contains(subject),
            _ => self.only.is_empty() || self.only.contains(subject),
        };
        Subject::value_variants().iter().copied().filter(is_wanted).collect()
    }

    /// The duration of each measurement.
    pub(crate) fn run(&self) -> Duration {
        if self.quick { QUICK_MEASURED_FOR } else { MEASURED_FOR }
    }

    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 1 } else { 3 }).max(1)
    }

    pub(crate) fn soak(&self) -> Duration {
        Duration::from_mins(self.soak_minutes)
    }

    /// Sizes of the history, in ascending order.
    pub(crate) fn histories(&self) -> Vec<u64> {
        let largest = if self.full { Some(10_000_000) } else { None };
        [0, 1_000_000].into_iter().chain(largest).collect()
    }

    /// Number of requests of each kind whose cost is compared.
    pub(crate) fn requests(&self) -> u64 {
        if self.quick { 200 } else { 1_000 }
    }

    /// Cargo runs benchmarks in the directory of their package.
    pub(crate) fn out(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&self.out)
    }

    pub(crate) fn programs(&self) -> anyhow::Result<PathBuf> {
        let this = std::env::current_exe()?;
        let beside = this.ancestors().nth(2).context("target/PROFILE/deps/BENCH")?;
        let programs = self.programs.clone().unwrap_or_else(|| beside.to_owned());
        for program in ["consultation", "finance", "all-in-one"] {
            let path = programs.join(program);
            ensure!(path.exists(), "{} is missing: cargo build --release --workspace --bins", path.display());
        }
        Ok(programs)
    }
}
