//! The subcommand `migrate`, and its status.

use std::io::{self, Write};

use anyhow::{Context, anyhow, ensure};
use clap::{Args, ValueEnum};
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use secrecy::ExposeSecret;

use super::{check_url, connect_beside, wrong_setting};
use crate::{
    config::Server,
    database::{
        MigrationState,
        migrate::{self, Choices, Chosen, LockWaits},
    },
};

/// Choices of `migrate`, for PostgreSQL.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// PostgreSQL: the schema to migrate, which is created if it is missing; in its database URL the service has
    /// `options=-csearch_path=NAME`. Without it: the first schema on the search path
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    /// PostgreSQL: whether triggers keep the row counts of lists. Without it a database stays as it is, and a new one
    /// keeps them
    #[arg(long, value_name = "WHETHER", conflicts_with = "status")]
    row_counts: Option<RowCounts>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RowCounts {
    /// A total costs the same for a list of any length
    Kept,
    /// Totals are counted when they are read, as Citus needs
    None,
}

pub(super) async fn run<M: MigratorTrait>(
    server: Server,
    arguments: &Arguments,
    count_on_demand: &dyn MigrationTrait,
) -> anyhow::Result<()> {
    let server = arguments.in_schema(server)?;
    let chosen = arguments.row_counts.map(|counts| match counts {
        RowCounts::Kept => Chosen::Down,
        RowCounts::None => Chosen::Up,
    });
    ensure!(
        chosen != Some(Chosen::Up) || !is_sqlite(&server),
        wrong_setting(anyhow!("--row-counts none is for PostgreSQL: on SQLite row counts are always kept"))
    );
    let optional = chosen.map(|chosen| (count_on_demand, chosen));
    let choices = Choices { schema: arguments.schema.as_deref(), optional };
    let applied = migrate::run_with::<M>(&server.database_url, LockWaits::default(), &choices).await;
    print_applied(server.name, &applied.context("cannot migrate the database")?)
}

impl Arguments {
    /// The settings with the URL of the schema.
    fn in_schema(&self, mut server: Server) -> anyhow::Result<Server> {
        check_url(&server)?;
        if let Some(schema) = &self.schema {
            ensure!(!is_sqlite(&server), wrong_setting(anyhow!("--schema is for PostgreSQL: a SQLite file has one")));
            server.database_url = migrate::url_of(&server.database_url, schema);
        }
        Ok(server)
    }
}

fn is_sqlite(server: &Server) -> bool {
    server.database_url.expose_secret().starts_with("sqlite:")
}

fn print_applied(name: &str, applied: &[String]) -> anyhow::Result<()> {
    let applied = match applied {
        [] => "nothing to do, the schema was up to date".to_owned(),
        migrations => format!("applied {}", migrations.join(", ")),
    };
    writeln!(io::stdout(), "{name}: {applied}").context("cannot write")
}

/// Prints each migration with its state. Fails if some are pending.
pub(super) async fn print_status<M: MigratorTrait>(server: Server, arguments: &Arguments) -> anyhow::Result<()> {
    let server = arguments.in_schema(server)?;
    let database = connect_beside(&server).await?;
    let migrations = database.migrations::<M>().await.context("cannot read the migrations")?;
    for (name, state) in &migrations {
        writeln!(io::stdout(), "{state:7} {name}").context("cannot write")?;
    }
    let pending = migrations.iter().filter(|(_, state)| *state == MigrationState::Pending).count();
    ensure!(pending == 0, "{pending} migrations are pending: run `{} migrate`", server.name);
    Ok(())
}
