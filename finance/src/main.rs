//! The program of the finance service: settings, logs, then one of the subcommands.

use std::process::ExitCode;

use clap::Parser;
use finance::{app, config::Settings, graphql, permissions::PERMISSIONS};
use migration::finance::Migrator;

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
    command: Option<chassis::cli::Command>,
}

#[tokio::main]
async fn main() -> ExitCode {
    chassis::cli::exit_code(run(chassis::cli::parse()).await)
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    cli.telemetry.init(matches!(cli.command, None | Some(chassis::cli::Command::Serve)))?;
    let server = cli.settings.server.resolve()?;
    let currency = cli.settings.currency;
    chassis::cli::run::<Migrator>(cli.command, server, graphql::sdl, &PERMISSIONS, |server, database, shutdown| {
        app::build(server, currency, database, shutdown)
    })
    .await
}
