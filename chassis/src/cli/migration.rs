//! The subcommand `migrate`, and its status.

use std::io::{self, Write};

use anyhow::{Context, ensure};
use sea_orm_migration::MigratorTrait;

use super::{check_url, connect_beside};
use crate::{
    config::Server,
    database::{
        MigrationState,
        migrate::{self, LockWaits},
    },
};

pub(super) async fn run<M: MigratorTrait>(server: &Server) -> anyhow::Result<()> {
    check_url(server)?;
    let applied = migrate::run::<M>(&server.database_url, LockWaits::default()).await;
    print_applied(server.name, &applied.context("cannot migrate the database")?)
}

fn print_applied(name: &str, applied: &[String]) -> anyhow::Result<()> {
    let applied = match applied {
        [] => "nothing to do, the schema was up to date".to_owned(),
        migrations => format!("applied {}", migrations.join(", ")),
    };
    writeln!(io::stdout(), "{name}: {applied}").context("cannot write")
}

/// Prints each migration with its state. Fails if some are pending.
pub(super) async fn print_status<M: MigratorTrait>(server: &Server) -> anyhow::Result<()> {
    let database = connect_beside(server).await?;
    let migrations = database.migrations::<M>().await.context("cannot read the migrations")?;
    for (name, state) in &migrations {
        writeln!(io::stdout(), "{state:7} {name}").context("cannot write")?;
    }
    let pending = migrations.iter().filter(|(_, state)| *state == MigrationState::Pending).count();
    ensure!(pending == 0, "{pending} migrations are pending: run `{} migrate`", server.name);
    Ok(())
}
