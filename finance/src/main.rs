//! The program of the finance service: settings, logs, then one of the subcommands.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use finance::{app, config::Settings, graphql, import, permissions::PERMISSIONS};
use migration::finance::{COUNT_ON_DEMAND, Migrator};

/// Faster than the system's allocator for many small allocations, as each request makes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Records the payment entry of every finished consultation, once.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    telemetry: chassis::telemetry::TelemetrySettings,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Service(chassis::cli::Command),
    /// Import the predecessor's payments
    #[command(after_help = import::HELP)]
    Import(chassis::import::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    chassis::cli::exit_code(run(chassis::cli::parse()).await)
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    cli.telemetry.init(matches!(cli.command, None | Some(Command::Service(chassis::cli::Command::Serve))))?;
    let server = cli.settings.server.resolve()?;
    let currency = cli.settings.currency;
    let command = match cli.command {
        None => None,
        Some(Command::Service(command)) => Some(command),
        Some(Command::Import(arguments)) => return import::run(&server, arguments).await,
    };
    chassis::cli::run::<Migrator>(
        command,
        server,
        &COUNT_ON_DEMAND,
        graphql::sdl,
        &PERMISSIONS,
        |server, database, shutdown| app::build(server, currency, database, shutdown),
    )
    .await
}
