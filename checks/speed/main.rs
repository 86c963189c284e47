//! The speed of the services: release processes on a PostgreSQL cluster of their own, beside pgbench with the same SQL
//! on the same cluster.
//!
//! ```text
//! cargo build --release --workspace --bins
//! cargo bench -p checks --bench speed -- --quick
//! ```

mod access;
mod arguments;
mod compare;
mod delivery;
mod drain;
mod figures;
mod history;
mod http;
mod load;
mod machine;
mod observed;
mod operation;
mod pgbench;
mod plain_loop;
mod plot;
mod postgraphile;
mod prepared;
mod report;
mod service;
mod session;
mod soak;
mod sqlite;
mod stack;
mod start_up;
mod token;
mod usage;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Subject};
use operation::Operation;
use report::Report;
use stack::Stack;

/// One thread for the whole load: it competes with the services for the cores.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("FAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut stack = Stack::start(&arguments.programs()?).await?;
    let mut report = Report::new(machine::describe(&stack).await?);
    for subject in arguments.subjects() {
        let section = match subject {
            Subject::Start => compare::run(&stack, arguments, Operation::Start).await?,
            Subject::Finish => compare::run(&stack, arguments, Operation::Finish).await?,
            Subject::Record => compare::run(&stack, arguments, Operation::Record).await?,
            Subject::Mixed => compare::run(&stack, arguments, Operation::Mixed).await?,
            Subject::Access => access::run(&stack, arguments).await?,
            Subject::Observed => observed::run(&mut stack, arguments).await?,
            Subject::Sqlite => sqlite::run(&stack, arguments).await?,
            Subject::Delivery => delivery::run(&stack, arguments).await?,
            Subject::Drain => drain::run(&mut stack, arguments).await?,
            Subject::History => history::run(&stack, arguments).await?,
            Subject::Postgraphile => postgraphile::run(&stack, arguments).await?,
            Subject::Soak => soak::run(&stack, arguments).await?,
            Subject::StartUp => start_up::run(&stack, arguments).await?,
        };
        report.add(section);
        // After each subject, so that an interrupted run leaves its measurements.
        report.write(&arguments.out())?;
    }
    report.print_bars();
    Ok(())
}
