//! Imports from the database of another program: the subcommand around what a service does with each row.
//!
//! A run without `--yes` reads both databases and says what would happen. A run with it writes batches, each in one
//! transaction. So after an end of any kind the next run has only what is missing to do.

mod batches;
mod progress;
mod report;
mod row;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::MigratorTrait;
use secrecy::SecretString;

use crate::{
    audit::{self, Outcome},
    changes::Changes,
    cli::{self, wrong_setting},
    config::{self, Server},
    database::{Database, source::Source},
};

pub use batches::Batches;
pub use report::{Finding, Report};
pub use row::Row;

/// A page of a SQLite file is written once for the rows of many batches: the writer keeps 64 MiB of pages, and the log
/// grows to 200 MiB between checkpoints.
const SQLITE_BULK_WRITES: &str = "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 50000";

const COMMAND_OPTIONS: &str = "Options of this command";

/// The arguments of the subcommand.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Arguments {
    /// Database to import from, which is only read: sqlite://FILE or postgres://USER:PASSWORD@HOST/DATABASE
    #[arg(long, env = "IMPORT_FROM", value_name = "URL", hide_env_values = true, help_heading = COMMAND_OPTIONS)]
    from: Option<SecretString>,
    /// File with that URL
    #[arg(long, env = "IMPORT_FROM_FILE", value_name = "FILE", help_heading = COMMAND_OPTIONS)]
    from_file: Option<PathBuf>,
    /// Import; without it only say what would happen
    #[arg(long, help_heading = COMMAND_OPTIONS)]
    yes: bool,
    /// End with 0 although rows that do not fit are left out
    #[arg(long, help_heading = COMMAND_OPTIONS)]
    skip_invalid: bool,
    /// Print each finding and the counts as a JSON object a line
    #[arg(long, help_heading = COMMAND_OPTIONS)]
    json: bool,
}

/// Some rows are not in this service's database now.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0} rows of the source are left out; correct them there and run this again, or accept that with --skip-invalid"
)]
struct LeftOut(u64);

/// The tables are not there, or those of an earlier version.
#[derive(Debug, thiserror::Error)]
#[error(
    "nothing was changed: the database of {0} lacks tables or columns: run `{0} migrate` first; all-in-one makes them \
     when it starts"
)]
struct NoTables(&'static str);

/// Runs the subcommand: `import` reads the source and writes the database, if the report [asks](Report::writes) for it.
/// The database must have the tables of `M`. Subscribers of the change feed `feed` receive `Missed` at the end: events of
/// so many rows would hold up the service.
///
/// # Errors
/// When a database fails, when rows are left out, or when the report cannot be written.
pub async fn run<M: MigratorTrait>(
    server: &Server,
    feed: &'static str,
    arguments: Arguments,
    import: impl AsyncFnOnce(&mut Source, &Database, &mut Report) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Arguments { from, from_file, yes, skip_invalid, json } = arguments;
    let url = config::secret("--from", from, from_file).and_then(|url| url.context("--from or --from-file is missing"));
    let url = url.map_err(wrong_setting)?;
    Database::check(&url).context("--from").map_err(wrong_setting)?;
    let database = cli::connect_beside(server).await?;
    let pending = database.pending_migrations::<M>().await;
    if !pending.with_context(|| format!("{}: cannot read the migrations", server.name))?.is_empty() {
        return Err(NoTables(server.name).into());
    }
    let mut source = Source::open(&url).await.context("--from")?;
    let mut report = Report::new(server.name, yes, json);
    let imported = if yes {
        if database.write.get_database_backend() == DbBackend::Sqlite {
            database.write.execute_unprepared(SQLITE_BULK_WRITES).await.context("cannot write the database")?;
        }
        Changes::beside(feed, &database, async |changes| {
            let imported = import(&mut source, &database, &mut report).await;
            if report.imported() > 0 || imported.is_err() {
                changes.publish_missed();
            }
            imported
        })
        .await
    } else {
        import(&mut source, &database, &mut report).await
    };
    if imported.is_ok() {
        report.complete();
    }
    let outcome = if yes { Outcome::from(&imported) } else { Outcome::Refused };
    // Without ids: of many rows the first would say little.
    audit::command(server.name, "import", &[], report.imported(), outcome);
    // Before the error: rows were imported, and maybe adapted, that the next run finds there already.
    let printed = report.print().context("cannot write the report");
    imported.context(report.after_failure())?;
    printed?;
    match report.left_out() {
        rows @ 1.. if !skip_invalid => Err(LeftOut(rows).into()),
        _ => Ok(()),
    }
}
