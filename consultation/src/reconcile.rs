//! Reconciliation: checks that every finished consultation was charged exactly once, with its price, and nothing else
//! was.
//!
//! It may run beside the services. Each side is read in the order in which it is written: a consultation, its pending
//! payment, its payment. So changes in between are never taken for a difference. A row that was confirmed here before
//! finance is asked must be in finance. A payment that finance had before the database is read must be of a
//! consultation that is finished here.

mod adopt;
mod comparison;
mod help;
mod json;
mod known;
mod last;
mod page;
mod report;
mod textfile;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, bail};
use chassis::{
    cli::{self, wrong_setting},
    clock,
    config::Server,
};
use clap::Args;

use crate::{
    config::FinanceTarget,
    finance_client::{FinanceClient, REQUEST_TIMEOUT},
};
pub use adopt::Adoption;
pub use comparison::{Adopt, Handling, reconcile};
pub use help::HELP;
pub use known::Known;
pub use last::last;
pub use report::{Difference, Finding, Overdue, Reconciliation, SettledConflict};

/// Exit code: the two sides could not be compared. 1 is for sides that do not agree.
const NOT_COMPARED: u8 = 2;
/// Exit code: the two sides agree, but payments are late.
const OVERDUE: u8 = 3;
const NO_REPORT: &str = "cannot write the report";

/// The two sides were compared, and an operator should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Attention {
    /// There is a difference. Payments may be late, too.
    #[error("consultations and payments do not agree")]
    Disagree,
    /// There is no difference, but payments are late.
    #[error("payments are in transit for over an hour")]
    Overdue,
}

/// The arguments of the subcommand.
#[derive(Clone, Debug, Args)]
#[group(skip)]
#[expect(clippy::struct_excessive_bools, reason = "flags, each by itself")]
pub struct Arguments {
    /// Print each finding and the counts as a JSON object a line
    #[arg(long)]
    json: bool,
    /// Write the counts and the time also to this file, for node_exporter's textfile collector
    #[arg(long, value_name = "FILE")]
    textfile: Option<PathBuf>,
    /// Count payments of another system apart: ids of appointments or payments, one a line
    #[arg(long, value_name = "FILE")]
    known: Option<PathBuf>,
    /// Put payments that finance lacks on their way again, after finance was restored from an older backup
    #[arg(long)]
    send_again: bool,
    /// Give payments without a consultation a finished one, after consultation was restored from an older backup; without
    /// --yes list them
    #[arg(long)]
    adopt: bool,
    /// With --adopt: do it; it cannot be undone
    #[arg(long, requires = "adopt")]
    yes: bool,
}

/// The subcommand: prints each difference, each late payment and the counts.
///
/// # Errors
/// [`Attention`] when an operator should look; another error when the database or finance cannot be read.
pub async fn run(server: &Server, finance: FinanceTarget, arguments: Arguments) -> anyhow::Result<()> {
    let known = arguments.known.as_deref().map(Known::read).transpose().context("--known").map_err(wrong_setting)?;
    let adopt = match (arguments.adopt, arguments.yes) {
        (false, _) => Adopt::Nothing,
        (true, false) => Adopt::WouldAdopt,
        (true, true) => Adopt::All,
    };
    let mut handling = Handling { known: known.unwrap_or_default(), send_again: arguments.send_again, adopt };
    let database = cli::connect_beside(server).await?;
    let client = FinanceClient::new(finance, REQUEST_TIMEOUT)?;
    let report = |finding: Finding| print(&if arguments.json { json::finding(&finding)? } else { finding.to_string() });
    let reconciliation = reconcile(&database, &client, &mut handling, report).await?;
    let summary = if arguments.json { json::summary(&reconciliation)? } else { reconciliation.to_string() };
    print(&summary).context(NO_REPORT)?;
    if adopt == Adopt::WouldAdopt && reconciliation.differences > 0 {
        cli::note("nothing is adopted or finished without --yes");
    }
    for (line, id) in handling.known.unmatched() {
        cli::note(format_args!("--known: line {line}: no payment without a consultation has the id {id}"));
    }
    // The user of the database may be one that only reads. The comparison is as good.
    if let Err(error) = last::store(&database.write, &reconciliation).await {
        cli::note(format_args!("the result is not stored, so the console does not show it: {error}"));
    }
    if let Some(file) = &arguments.textfile {
        textfile::write(file, &reconciliation, clock::now())
            .with_context(|| format!("--textfile: cannot write {}", file.display()))?;
    }
    match reconciliation {
        Reconciliation { differences: 1.., .. } => bail!(Attention::Disagree),
        Reconciliation { overdue: 1.., .. } => bail!(Attention::Overdue),
        _ => Ok(()),
    }
}

/// Not println!, which panics when the pipe is closed.
fn print(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// Prints the error and returns the exit code of the subcommand. As of `diff`: 0 if both sides agree, 1 if they do not,
/// 2 if they could not be compared, also for a wrong setting. 3 if they agree, but payments are late.
#[must_use]
pub fn exit_code(outcome: anyhow::Result<()>) -> ExitCode {
    let attention = outcome.as_ref().err().map(|error| error.downcast_ref().copied());
    let code = cli::exit_code(outcome);
    match attention {
        None | Some(Some(Attention::Disagree)) => code,
        Some(Some(Attention::Overdue)) => ExitCode::from(OVERDUE),
        Some(None) => ExitCode::from(NOT_COMPARED),
    }
}
