//! The subcommand `import`: the predecessor's consultations and pending payments come along.
//!
//! Rows are read in the order of their ids and compared with what is here: a row that is here already is never changed.
//! What is missing is inserted, a consultation together with its pending payment.

mod batch;
mod finance;
mod mapping;
mod newest;
mod record;
mod target;

use std::time::Duration;

use anyhow::Context;
use chassis::{
    config::Server,
    database::{
        Database,
        source::{Query, Source},
    },
    import::{Batches, Finding, Report, Row},
};
use chrono::TimeDelta;
use clap::Args;
use entity::{Currency, Money};
use futures_util::future::join;
use migration::consultation::Migrator;

use crate::{
    app::CHANGE_FEED,
    config::{COMMAND_OPTIONS, FinanceTarget},
    finance_client::{FinanceClient, REQUEST_TIMEOUT},
    store,
};
use mapping::Bounds;
use newest::Newest;
use record::ALL;

/// The end of `--help`.
pub const HELP: &str = "\
Reads the tables `consultation` and `pending_payment` of the predecessor, and never writes there. Without --yes it only says \
what would happen. Stop the predecessor, import finance and start it, then run this: docs/import.md has the order of steps. It asks \
finance for payments that the predecessor has delivered, and with --yes ends when some are missing.

Rows that are here already stay as they are, so run it again after a failure: it imports what is missing. Each finding is \
a line with its code, the id and the reason. Rows that do not fit are left out and named. Pending payments that were not \
finished are delivered, once: finance answers for those that it has.

Exit code: 0 if every row is here or, without --yes, would be; 1 if rows are left out (0 with --skip-invalid), a \
database failed, or finance lacks delivered payments; 2 for a wrong flag or setting.";

const UNREADABLE: &str = "cannot read the predecessor's tables";

/// Pending payments without a consultation.
const STRAYS: Query = Query {
    columns: &[
        "pending_payment.id",
        "pending_payment.appointment_id",
        "pending_payment.total_price",
        "pending_payment.finished",
    ],
    rest: "FROM pending_payment LEFT JOIN consultation ON consultation.id = pending_payment.appointment_id
           WHERE consultation.id IS NULL ORDER BY pending_payment.id",
};

/// The arguments of the subcommand.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Arguments {
    #[command(flatten)]
    import: chassis::import::Arguments,
    /// Import although finance lacks delivered payments, or cannot be asked
    #[arg(long, help_heading = COMMAND_OPTIONS)]
    skip_finance_check: bool,
}

/// Runs the subcommand. `longest` is the longest duration of a consultation.
///
/// # Errors
/// When a database fails, rows are left out, or finance was not imported first.
pub async fn run(
    server: &Server,
    finance: FinanceTarget,
    currency: Currency,
    longest: Duration,
    arguments: Arguments,
) -> anyhow::Result<()> {
    let Arguments { import: arguments, skip_finance_check } = arguments;
    let longest = TimeDelta::from_std(longest)?;
    let client = FinanceClient::new(finance, currency, REQUEST_TIMEOUT)?;
    chassis::import::run::<Migrator>(server, CHANGE_FEED, arguments, async |source, database, report| {
        finance::check(source, &client, report.writes() && !skip_finance_check).await?;
        import(source, longest, database, report).await
    })
    .await
}

/// Imports all consultations of the source, or says what would be done.
async fn import(
    source: &mut Source,
    longest: TimeDelta,
    database: &Database,
    report: &mut Report,
) -> anyhow::Result<()> {
    let now = store::time(&database.read).await.context("cannot read the database")?;
    let bounds = Bounds { now, longest };
    report.begin(source.count("consultation").await.context(UNREADABLE)?, &batch::LABELS);
    let newest = Newest::read(source, bounds).await.context(UNREADABLE)?;
    let mut batches = Batches::of(source, &ALL);
    let mut batch = batches.next().await.context(UNREADABLE)?;
    while !batch.is_empty() {
        // The next one is read while this one is written.
        let (imported, next) = join(batch::import(&batch, &newest, bounds, database, report), batches.next()).await;
        imported?;
        report.advance(batch.len());
        batch = next.context(UNREADABLE)?;
    }
    drop(batches);
    let mut strays = Batches::of(source, &STRAYS);
    loop {
        let batch = strays.next().await.context(UNREADABLE)?;
        if batch.is_empty() {
            return Ok(());
        }
        batch.iter().flatten().try_for_each(|row| report.add(stray(row)))?;
    }
}

fn stray(row: &Row) -> Finding {
    let value = |column| row.shown(column);
    let amount = row.required("pending_payment.total_price", str::parse::<Money>);
    let amount = amount.map_or_else(|error| error, |amount| amount.to_string());
    let (appointment, finished) = (value("pending_payment.appointment_id"), value("pending_payment.finished"));
    let text =
        format!("the pending payment of {appointment} (amount {amount}, finished {finished}) has no consultation");
    Finding::left_out("WITHOUT_CONSULTATION", value("pending_payment.id"), text)
}
