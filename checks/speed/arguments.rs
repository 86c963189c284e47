//! What to measure, how long, and where the report goes.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};

const RUN: Duration = Duration::from_secs(5);
const QUICK_RUN: Duration = Duration::from_secs(1);

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
    /// How often each pair of service and pgbench is run; the pair with the median ratio is reported [default: 3, quick: 1]
    #[arg(long, value_name = "COUNT")]
    rounds: Option<usize>,
    /// Where speed.json, speed.md and the plots go, from the workspace's directory
    #[arg(long, default_value = "target/speed", value_name = "DIR")]
    out: PathBuf,
    /// Where the services' programs are [default: beside this one, target/release]
    #[arg(long, value_name = "DIR")]
    programs: Option<PathBuf>,
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
    Sqlite,
    /// From finish to confirmed
    Delivery,
    /// Delivery of what piled up
    Drain,
    /// Cost beside finished consultations
    History,
    /// PostGraphile creating the same row, if npm has installed it
    Postgraphile,
    /// Time until ready, and sizes
    StartUp,
}

impl Arguments {
    pub(crate) fn subjects(&self) -> Vec<Subject> {
        let is_wanted = |subject: &Subject| self.only.is_empty() || self.only.contains(subject);
        Subject::value_variants().iter().copied().filter(is_wanted).collect()
    }

    /// How long each figure is measured.
    pub(crate) fn run(&self) -> Duration {
        if self.quick { QUICK_RUN } else { RUN }
    }

    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 1 } else { 3 }).max(1)
    }

    /// Sizes of the history, growing.
    pub(crate) fn histories(&self) -> Vec<u64> {
        let largest = if self.full { Some(10_000_000) } else { None };
        [0, 1_000_000].into_iter().chain(largest).collect()
    }

    /// How often each request is made whose cost is compared.
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
