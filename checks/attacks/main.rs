//! Attacks on both services as real processes, beside an honest client. Bounds hold for the memory that an attack
//! takes, the honest client's answers, the log, and the recovery.
//!
//! ```text
//! cargo build --workspace --bins
//! cargo test -p checks --test attacks -- --backend postgres
//! cargo test -p checks --test attacks -- --only unfinished-heads,rapid-reset --programs target/release --release-bounds
//! ```
//!
//! One line is printed for each attack; the exit code is not 0 if a bound is violated. The attacker calls from another
//! loopback address than the honest client, so that limits for each address work as they would.

mod attack;
mod bounds;
mod families;
mod gauge;
mod honest;
mod report;
mod stage;
mod trial;
mod wire;

use std::{path::PathBuf, process::ExitCode, time::Instant};

use anyhow::ensure;
use clap::{Parser, ValueEnum};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use attack::Attack;
use bounds::Bounds;

/// Thousands of connections need as many descriptors, in this process and in the services.
const DESCRIPTORS: u64 = 8_192;

/// The database of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Backend {
    Sqlite,
    Postgres,
}

/// Attacks both services and checks that an honest client does not notice.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long, default_value = "sqlite")]
    backend: Backend,
    /// Only these attacks
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    only: Vec<String>,
    /// Directory of the programs consultation and finance; by default where cargo built them
    #[arg(long, value_name = "DIRECTORY")]
    programs: Option<PathBuf>,
    /// The programs are release builds: an honest answer may take 100 ms instead of 250 ms
    #[arg(long)]
    release_bounds: bool,
    /// Print the table of the documentation at the end
    #[arg(long)]
    markdown: bool,
    /// List the attacks and exit
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    checks::run(run(Arguments::parse()))
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let attacks = chosen(&arguments)?;
    if arguments.list {
        for attack in &attacks {
            println!("{:<22} {}", attack.name, attack.title);
        }
        return Ok(());
    }
    raise_descriptors()?;
    let options = trial::Options {
        backend: arguments.backend.into(),
        programs: arguments.programs,
        bounds: if arguments.release_bounds { Bounds::RELEASE } else { Bounds::DEBUG },
    };
    let (began, mut results) = (Instant::now(), Vec::new());
    for attack in &attacks {
        let result = trial::run(attack, &options).await;
        println!("{}", report::line(attack, &result));
        results.push(result);
    }
    if arguments.markdown {
        println!("\n{}", report::markdown(&attacks, &results));
    }
    let failed = results.iter().filter(|result| !result.held()).count();
    println!("\n{} passed, {failed} failed, {:.0} s", results.len() - failed, began.elapsed().as_secs_f64());
    ensure!(failed == 0, "{failed} attacks were not held");
    Ok(())
}

/// The attacks of this run, in the order of their families.
fn chosen(arguments: &Arguments) -> anyhow::Result<Vec<Attack>> {
    let attacks = families::attacks();
    for name in &arguments.only {
        ensure!(attacks.iter().any(|attack| attack.name == name), "no attack is called {name}; see --list");
    }
    let is_chosen =
        |attack: &Attack| arguments.only.is_empty() || arguments.only.iter().any(|name| name == attack.name);
    let runs_here = |attack: &Attack| !attack.setup.needs_postgres || arguments.backend == Backend::Postgres;
    Ok(attacks.into_iter().filter(|attack| is_chosen(attack) && runs_here(attack)).collect())
}

fn raise_descriptors() -> anyhow::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    ensure!(hard >= DESCRIPTORS, "the attacks need {DESCRIPTORS} descriptors: ulimit -Hn is {hard}");
    Ok(setrlimit(Resource::RLIMIT_NOFILE, soft.max(DESCRIPTORS), hard)?)
}

impl From<Backend> for testkit::Backend {
    fn from(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self::Sqlite,
            Backend::Postgres => Self::Postgres,
        }
    }
}
