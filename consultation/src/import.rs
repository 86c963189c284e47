//! The subcommand `import`: the predecessor's consultations and pending payments come along.
//!
//! Rows are read in the order of their ids and compared with what is here: a row that is here already is never changed.
//! What is missing is inserted, a consultation together with its pending payment.

mod finance;
mod mapping;
mod newest;
mod record;
mod target;

use std::collections::HashSet;

use anyhow::Context;
use chassis::{
    config::Server,
    database::{
        Database,
        source::{Query, Source},
    },
    import::{Arguments, Batches, Finding, Report, Row},
};
use chrono::{DateTime, Utc};
use entity::{Currency, Money};

use crate::{
    app::CHANGE_FEED,
    config::FinanceTarget,
    finance_client::{FinanceClient, REQUEST_TIMEOUT},
    store::import::{Ended, Imported, database_time, insert},
};
use mapping::{Mapped, map};
use newest::Newest;
use record::{ALL, ID, Record};
use target::{Place, Target};

/// The end of `--help`.
pub const HELP: &str = "\
Reads the tables `consultation` and `pending_payment` of the predecessor, and never writes there. Without --yes it only says \
what would happen. Stop the predecessor, import finance first, then this: docs/import.md has the order of steps.

Rows that are here already stay as they are, so run it again after a failure: it imports what is missing. Each finding is \
a line with its code, the id and the reason. Rows that do not fit are left out and named. Pending payments that were not \
finished are delivered, once: finance answers for those that it has.

Exit code: 0 if every row is here or, without --yes, would be; 1 if rows are left out (0 with --skip-invalid) or a \
database failed; 2 for a wrong flag or setting.";

const UNREADABLE: &str = "cannot read the predecessor's tables";
const FAILED: &str = "the database failed; what was imported so far is complete, run this again";

/// What is counted, in the order in which it is shown.
const LABELS: [&str; 8] = [
    "consultations read",
    "there already",
    "finished",
    "in progress",
    "cancelled",
    "payments delivered before",
    "payments to deliver",
    "dates cut to milliseconds",
];

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

/// Runs the subcommand.
///
/// # Errors
/// When a database fails or rows are left out.
pub async fn run(
    server: &Server,
    finance: FinanceTarget,
    currency: Currency,
    arguments: Arguments,
) -> anyhow::Result<()> {
    let client = FinanceClient::new(finance, currency, REQUEST_TIMEOUT)?;
    chassis::import::run(server, CHANGE_FEED, arguments, async |source, database, report| {
        finance::note_missing(source, &client).await.context(UNREADABLE)?;
        import(source, database, report).await
    })
    .await
}

/// Imports all consultations of the source, or says what would be done.
async fn import(source: &mut Source, database: &Database, report: &mut Report) -> anyhow::Result<()> {
    let now = database_time(&database.read).await.context("cannot read the database")?;
    report.begin(source.count("consultation").await.context(UNREADABLE)?, &LABELS);
    let newest = Newest::read(source, now).await.context(UNREADABLE)?;
    let mut batches = Batches::of(source, &ALL);
    loop {
        let batch = batches.next().await.context(UNREADABLE)?;
        if batch.is_empty() {
            break;
        }
        import_batch(&batch, &newest, now, database, report).await?;
        report.advance(batch.len());
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

async fn import_batch(
    batch: &[Vec<Row>],
    newest: &Newest,
    now: DateTime<Utc>,
    database: &Database,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut fitting = Vec::with_capacity(batch.len());
    for group in batch {
        report.count("consultations read");
        let record = Record::of(group).map_err(|text| Finding::left_out("INVALID", group[0].shown(ID), text));
        match record.and_then(|record| Ok((newest.mapped(&record, map(&record, now)?, now), record))) {
            Ok(fits) => fitting.push(fits),
            Err(finding) => report.add(finding)?,
        }
    }
    let target = Target::read(&database.read, &fitting).await.context(FAILED)?;
    let mut missing = Vec::with_capacity(fitting.len());
    for (mapped, record) in fitting {
        match target.place(&record, mapped, now) {
            Place::There => report.count("there already"),
            Place::LeftOut(finding) => report.add(finding)?,
            Place::Missing(mapped) => missing.push((mapped, record.is_truncated)),
        }
    }
    write(missing, database, report).await
}

/// Inserts what is missing, if the run writes, and reports it.
async fn write(missing: Vec<(Mapped, bool)>, database: &Database, report: &mut Report) -> anyhow::Result<()> {
    let rows: Vec<_> = missing.iter().map(|(mapped, _)| &mapped.row).collect();
    let is_dry = !report.writes();
    let inserted = if is_dry { Vec::new() } else { insert(database, &rows).await.context(FAILED)? };
    report.add_imported(inserted.len());
    let inserted: HashSet<_> = inserted.into_iter().collect();
    for (Mapped { row, adapted }, is_truncated) in missing {
        if !is_dry && !inserted.contains(&row.id) {
            report.add(target::started_meanwhile(&row))?;
            continue;
        }
        adapted.map(|finding| report.add(finding)).transpose()?;
        if is_truncated {
            report.count("dates cut to milliseconds");
        }
        labels(&row).for_each(|label| report.count(label));
    }
    Ok(())
}

/// What a consultation counts as.
fn labels(row: &Imported) -> impl Iterator<Item = &'static str> {
    let [state, payment] = match &row.ended {
        None => [Some("in progress"), None],
        Some(Ended::Cancelled { .. }) => [Some("cancelled"), None],
        Some(Ended::Finished { payment, .. }) if payment.finished => {
            [Some("finished"), Some("payments delivered before")]
        }
        Some(Ended::Finished { .. }) => [Some("finished"), Some("payments to deliver")],
    };
    state.into_iter().chain(payment)
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
