//! The program of the consultation service: settings, logs, then one of the subcommands.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use consultation::{
    accept_finance, app,
    config::{FinanceTarget, Settings},
    export, forget, graphql, import, pending,
    permissions::PERMISSIONS,
    reconcile, retry, settle,
};
use migration::consultation::{COUNT_ON_DEMAND, Migrator};

/// Faster than the system's allocator for many small allocations, as each request makes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Starts and finishes medical consultations, prices them, and delivers their payments to finance.
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
    /// List the payments that are on their way to finance, oldest first
    #[command(after_help = pending::HELP)]
    Pending(pending::Arguments),
    /// Send a pending payment now, or all parked ones
    #[command(after_help = retry::HELP)]
    Retry(retry::Arguments),
    /// Let the amount stand that finance has recorded, for a payment that finance refuses
    #[command(after_help = settle::HELP)]
    Settle(settle::Arguments),
    /// Compare finished consultations with finance's payments and name each difference
    #[command(after_help = reconcile::HELP)]
    Reconcile(reconcile::Arguments),
    /// Deliver payments to the finance at the configured URL from now on, although it is another instance than before
    #[command(after_help = accept_finance::HELP)]
    AcceptFinance,
    /// Print everything that is stored about a patient, as JSON
    #[command(after_help = export::HELP)]
    Export(export::Arguments),
    /// Replace a patient's id by random ones in all consultations that have ended, for ever
    #[command(after_help = forget::HELP)]
    Forget(forget::Arguments),
    /// Import the predecessor's consultations and pending payments
    #[command(after_help = import::HELP)]
    Import(import::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli: Cli = chassis::cli::parse();
    let reconciles = matches!(cli.command, Some(Command::Reconcile(_)));
    let exit_code = if reconciles { reconcile::exit_code } else { chassis::cli::exit_code };
    exit_code(run(cli).await)
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    cli.telemetry.init(matches!(cli.command, None | Some(Command::Service(chassis::cli::Command::Serve))))?;
    let Settings { server, finance, domain } = cli.settings;
    let finance = finance.resolve(FinanceTarget::in_development("http://127.0.0.1:8020/graphql".parse()?))?;
    let server = server.resolve()?;
    let currency = domain.currency;
    let command = match cli.command {
        None => None,
        Some(Command::Service(command)) => Some(command),
        Some(Command::Pending(arguments)) => return pending::run(&server, arguments).await,
        Some(Command::Retry(arguments)) => return retry::run(&server, arguments).await,
        Some(Command::Settle(arguments)) => return settle::run(&server, finance, currency, arguments).await,
        Some(Command::Reconcile(arguments)) => {
            return reconcile::run(&server, finance, currency, arguments).await;
        }
        Some(Command::AcceptFinance) => return accept_finance::run(&server, finance, currency).await,
        Some(Command::Export(arguments)) => return export::run(&server, finance, currency, arguments).await,
        Some(Command::Forget(arguments)) => return forget::run(&server, arguments).await,
        Some(Command::Import(arguments)) => {
            return import::run(&server, finance, currency, domain.longest, arguments).await;
        }
    };
    chassis::cli::run::<Migrator>(
        command,
        server,
        &COUNT_ON_DEMAND,
        graphql::sdl,
        &PERMISSIONS,
        |server, database, shutdown| app::build(server, finance, &domain, database, shutdown),
    )
    .await
}
