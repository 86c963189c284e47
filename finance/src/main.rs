//! The finance service's program: settings, logs, then one of the subcommands.

use std::process::ExitCode;

use clap::Parser;
use finance::{app, config::Settings, graphql};
use migration::finance::Migrator;

/// Takes less time than the system's where many small things are made and dropped, as for each request here.
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
    command: Option<chassis::cli::Command>,
}

#[tokio::main]
async fn main() -> ExitCode {
    chassis::cli::exit_code(run(Cli::parse()).await)
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    cli.telemetry.init()?;
    let server = cli.settings.server.resolve()?;
    chassis::cli::run::<Migrator>(cli.command, server, graphql::sdl, app::build).await
}
