//! The subcommands that every service has.

mod migration;
mod program;
mod settings;

use std::{
    fmt::Display,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, ensure};
use clap::Subcommand;
use graphql_http::Permissions;
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use tokio_util::sync::CancellationToken;

use crate::{
    Lifecycle, Service,
    config::Server,
    database::{Database, backup},
    health, http_client, server,
    telemetry::one_line,
};

pub use program::parse;

/// Subcommands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Serve the API (the default)
    Serve,
    /// Bring the database schema up to date, then exit
    Migrate {
        /// Print each migration as applied or pending and change nothing; exit 0 if none is pending, else 1
        #[arg(long)]
        status: bool,
        /// Choices beside the migrations
        #[command(flatten)]
        choices: migration::Arguments,
    },
    /// Copy the SQLite database to a new file and check the copy; the service may run meanwhile
    Backup {
        /// File to write; an existing one is not overwritten
        file: PathBuf,
    },
    /// Print the GraphQL schema (SDL), then exit
    // No setting changes it.
    #[command(help_template = "{about-with-newline}\n{usage-heading} {usage}{after-help}")]
    #[command(after_help = "  --client           Without Apollo Federation's directives, for generators of clients
  --requires-scopes  With @requiresScopes on each field that has a rule, for a gateway")]
    Schema {
        /// Without Apollo Federation's directives, for generators of clients
        #[arg(long, conflicts_with = "requires_scopes")]
        client: bool,
        /// With @requiresScopes on each field that has a rule, for a gateway
        #[arg(long)]
        requires_scopes: bool,
    },
    /// Ask the service at the bind address whether it is ready; exit 0 if it is
    Healthcheck,
}

/// Exit code for a wrong setting, as for a wrong command line: the user has to change something.
const WRONG_SETTING_CODE: u8 = 2;

/// A setting that is invalid or contradicts another.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct WrongSetting(anyhow::Error);

/// Marks an error as a wrong setting, for [`exit_code`].
#[must_use]
pub fn wrong_setting(error: anyhow::Error) -> anyhow::Error {
    WrongSetting(error).into()
}

/// Prints the error to standard error, without a backtrace, and returns the exit code: 2 for a wrong setting, 1 for any
/// other failure.
#[must_use]
pub fn exit_code(outcome: anyhow::Result<()>) -> ExitCode {
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    note(format_args!("error: {error:#}"));
    if error.is::<WrongSetting>() { ExitCode::from(WRONG_SETTING_CODE) } else { ExitCode::FAILURE }
}

/// Prints a line to standard error. Unlike eprintln!, it does not panic when nobody reads it or the disk is full.
pub fn note(message: impl Display) {
    let _ = writeln!(io::stderr(), "{}", one_line(&message.to_string()));
}

/// Runs a subcommand; `build` makes the service. `count_on_demand` is the migration that does without row counts.
///
/// # Errors
/// Any failure of the subcommand, with a message for people. Pass it to [`exit_code`].
pub async fn run<M: MigratorTrait>(
    command: Option<Command>,
    server: Server,
    count_on_demand: &dyn MigrationTrait,
    sdl: fn() -> String,
    permissions: &Permissions,
    build: impl FnOnce(&Server, &Database, &CancellationToken) -> anyhow::Result<Service>,
) -> anyhow::Result<()> {
    match command.unwrap_or(Command::Serve) {
        Command::Serve => serve(server, build).await,
        Command::Migrate { status: true, choices } => migration::print_status::<M>(server, &choices).await,
        Command::Migrate { status: false, choices } => migration::run::<M>(server, &choices, count_on_demand).await,
        Command::Backup { file } => Ok(backup::run(&server.database_url, &file).await?.print()?),
        Command::Schema { client, requires_scopes } => {
            let sdl = match sdl() {
                sdl if client => graphql_http::client_sdl(&sdl),
                sdl if requires_scopes => permissions.require_scopes(&sdl)?,
                sdl => sdl,
            };
            write!(io::stdout(), "{sdl}").context("cannot write")
        }
        Command::Healthcheck => healthcheck(&server).await,
    }
}

/// Connects the service to its database.
///
/// # Errors
/// When the URL is malformed or the file cannot be opened.
pub async fn connect(server: &Server) -> anyhow::Result<Database> {
    check_url(server)?;
    let database = Database::open(&server.database_url, server.database_connections).await;
    let database = database.with_context(|| format!("{}: cannot open the database", server.name))?;
    let Some(replica) = &server.read_replica else { return Ok(database) };
    let reading = database.with_replica(replica, server.database_connections);
    reading.with_context(|| format!("--{}-database-read-url", server.name)).map_err(wrong_setting)
}

/// Connects a command to the service's database; the service may run meanwhile.
///
/// # Errors
/// When the URL is malformed, or the file does not exist.
pub async fn connect_beside(server: &Server) -> anyhow::Result<Database> {
    check_url(server)?;
    let opened = Database::open_beside(&server.database_url).await;
    opened.with_context(|| format!("{}: cannot open the database", server.name))
}

fn check_url(server: &Server) -> anyhow::Result<()> {
    let checked = Database::check(&server.database_url);
    checked.with_context(|| format!("--{}-database-url", server.name)).map_err(wrong_setting)
}

/// Marks the database as in use until the end of `lifecycle`.
///
/// # Errors
/// When a file cannot be read or written.
pub async fn use_database(lifecycle: &mut Lifecycle, server: &Server, database: &Database) -> anyhow::Result<()> {
    database.begin_service().await.with_context(|| format!("{}: cannot use the database", server.name))?;
    let (name, database) = (server.name, database.clone());
    lifecycle.at_end(async move {
        database.end_service().await.with_context(|| format!("{name}: cannot close the database"))
    });
    Ok(())
}

async fn serve(
    server: Server,
    build: impl FnOnce(&Server, &Database, &CancellationToken) -> anyhow::Result<Service>,
) -> anyhow::Result<()> {
    let mut lifecycle = Lifecycle::new()?;
    let database = connect(&server).await?;
    use_database(&mut lifecycle, &server, &database).await?;
    let service = build(&server, &database, &lifecycle.shutdown())?;
    let listener = server::listen(&server)?;
    server::start(&mut lifecycle, server.name, listener, service);
    let url = server.local_url();
    tracing::info!("{}: {url}/graphql, in a browser {url}/graphiql", server.name);
    lifecycle.run().await
}

async fn healthcheck(server: &Server) -> anyhow::Result<()> {
    // The certificate is not checked: it names the host that clients use, and no secret is sent.
    let client =
        http_client::builder().tls_danger_accept_invalid_certs(true).timeout(Duration::from_secs(3)).build()?;
    let url = server.local_url();
    let response = client.get(format!("{url}/readyz")).send().await.context("no answer")?;
    let found = response.headers().get(health::SERVICE).and_then(|name| name.to_str().ok());
    let found = found.unwrap_or("another program").to_owned();
    let (status, body) = (response.status(), response.text().await?);
    ensure!(found == server.name, "at {url} there is {found}, not {}", server.name);
    ensure!(status.is_success(), "not ready: {body}");
    Ok(())
}
