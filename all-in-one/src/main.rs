//! Both services in one process, for development and small clinics: `cargo run`, and `cargo run -- demo`.

mod demo;
mod services;

use std::{
    fmt::Display,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use chassis::{
    cli,
    config::Server,
    database::{backup, create_directory},
    telemetry::TelemetrySettings,
};
use clap::{Parser, Subcommand};
use consultation::{accept_finance, export, forget, pending, reconcile, retry, settle};

use services::{linked, start, to_finance};

/// Faster than the system's allocator for many small short-lived allocations, as each request makes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Both services, consultation and finance, in one process.
///
/// Without settings: SQLite files under data/, created and migrated, on ports 8010 and 8020 of this machine.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    consultation: consultation::config::Settings,
    #[command(flatten)]
    finance: finance::config::Settings,
    #[command(flatten)]
    telemetry: TelemetrySettings,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Migrate the databases and serve both APIs (the default)
    Serve,
    /// Start and finish three consultations and show their payments in finance; starts the services unless they run
    Demo,
    /// Copy both SQLite databases to new files in a directory and check the copies; the services may run meanwhile
    Backup {
        /// Directory for consultation.sqlite and finance.sqlite; existing files are not overwritten
        directory: PathBuf,
    },
    /// List the payments that are on their way to finance, oldest first
    #[command(after_help = pending::HELP)]
    Pending(pending::Arguments),
    /// Send a pending payment now, or all parked ones
    #[command(after_help = retry::HELP)]
    Retry(retry::Arguments),
    /// Let the amount stand that finance has recorded, for a payment that finance refuses; finance must run
    #[command(after_help = settle::HELP)]
    Settle(settle::Arguments),
    /// Compare finished consultations with finance's payments and print each difference; finance must run
    #[command(after_help = reconcile::HELP)]
    Reconcile(reconcile::Arguments),
    /// Accept the finance at the configured URL as the new destination of payments
    #[command(after_help = accept_finance::HELP)]
    AcceptFinance,
    /// Print everything that is stored about a patient, as JSON; finance must run
    #[command(after_help = export::HELP)]
    Export(export::Arguments),
    /// Replace a patient's id by random ones in all consultations that have ended, for ever
    #[command(after_help = forget::HELP)]
    Forget(forget::Arguments),
    /// Import the predecessor's payments into finance, before its consultations
    #[command(after_help = finance::import::HELP)]
    ImportFinance(chassis::import::Arguments),
    /// Import the predecessor's consultations and pending payments into consultation
    #[command(after_help = consultation::import::HELP)]
    ImportConsultation(consultation::import::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli: Cli = cli::parse();
    let reconciles = matches!(cli.command, Some(Command::Reconcile(_)));
    let exit_code = if reconciles { reconcile::exit_code } else { cli::exit_code };
    // Boxed: it holds the settings of both services.
    exit_code(Box::pin(run(cli)).await)
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let Cli { consultation, finance, telemetry, command } = cli;
    let command = command.unwrap_or(Command::Serve);
    telemetry.init(matches!(command, Command::Serve))?;
    let currency = consultation.domain.currency;
    let servers = linked([consultation.server.clone().resolve()?, finance.server.clone().resolve()?]);
    match command {
        Command::Serve => {
            let lifecycle = start(consultation, &finance, servers.clone()).await?;
            for server in &servers {
                announce(server.name, format_args!("{}/graphiql   {}", server.local_url(), server.access));
            }
            announce("console", format_args!("{}/console", servers[0].local_url()));
            lifecycle.run().await
        }
        Command::Demo => Box::pin(demo::run(consultation, &finance, servers)).await,
        Command::Backup { directory } => back_up(&servers, &directory).await,
        Command::Pending(arguments) => pending::run(&servers[0], arguments).await,
        Command::Retry(arguments) => retry::run(&servers[0], arguments).await,
        Command::Settle(arguments) => {
            let to_finance = to_finance(consultation.finance, &servers[1])?;
            settle::run(&servers[0], to_finance, currency, arguments).await
        }
        Command::Reconcile(arguments) => {
            let to_finance = to_finance(consultation.finance, &servers[1])?;
            reconcile::run(&servers[0], to_finance, currency, arguments).await
        }
        Command::AcceptFinance => {
            let to_finance = to_finance(consultation.finance, &servers[1])?;
            accept_finance::run(&servers[0], to_finance, currency).await
        }
        Command::Export(arguments) => {
            let to_finance = to_finance(consultation.finance, &servers[1])?;
            export::run(&servers[0], to_finance, currency, arguments).await
        }
        Command::Forget(arguments) => forget::run(&servers[0], arguments).await,
        Command::ImportFinance(arguments) => finance::import::run(&servers[1], arguments).await,
        Command::ImportConsultation(arguments) => {
            let to_finance = to_finance(consultation.finance, &servers[1])?;
            let longest = consultation.domain.longest;
            consultation::import::run(&servers[0], to_finance, currency, longest, arguments).await
        }
    }
}

/// Consultation first, as in `servers`. Payments that only the later copy of finance holds are recorded again without
/// harm. A payment that is confirmed in consultation's copy and missing in finance's would never be sent.
async fn back_up(servers: &[Server; 2], directory: &Path) -> anyhow::Result<()> {
    create_directory(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    for server in servers {
        let file = directory.join(server.name).with_extension("sqlite");
        let backup = backup::run(&server.database_url, &file).await;
        backup.with_context(|| format!("{}: no backup", server.name))?.print()?;
    }
    Ok(())
}

/// Prints where something is, for people who just started it. The services run whether or not it can be written.
fn announce(name: &str, place: impl Display) {
    let _ = writeln!(io::stdout(), "{name:<12} {place}");
}
