//! The subcommand `import`: the predecessor's payments come along.
//!
//! Ids are new, since nothing refers to the predecessor's. It has no time of recording, so the time of the import is that
//! time, by which clients list payments and poll for new ones.

use std::sync::Arc;

use anyhow::Context;
use chassis::{
    audit,
    config::Server,
    database::{
        Database,
        source::{Query, Source},
    },
    import::{Arguments, Batches, Finding, Report, Row},
};
use entity::{Money, payment::Model as Payment};
use uuid::Uuid;

use crate::store::{Record, find, insert};

/// The end of `--help`.
pub const HELP: &str = "\
Reads the table `payment` of the predecessor, and never writes there. Without --yes it only says what would happen. Stop the \
predecessor, run this, then `consultation import`: docs/import.md has the order of steps.

Payments keep appointment and amount. They get new ids and the time of the import as the time of recording. Payments that \
are here already stay as they are, so run it again after a failure: it imports what is missing. Each finding is a line \
with its code, the id and the reason. Rows that do not fit are left out and named.

Exit code: 0 if every payment is here or, without --yes, would be; 1 if rows are left out (0 with --skip-invalid) or a \
database failed; 2 for a wrong flag or setting.";

const UNREADABLE: &str = "cannot read the predecessor's table";
const FAILED: &str = "the database failed; what was imported so far is complete, run this again";

/// What is counted, in the order in which it is shown.
const LABELS: [&str; 3] = ["appointments read", "there already", "payments"];

const APPOINTMENT_ID: &str = "payment.appointment_id";
const PAYMENTS: Query = Query {
    columns: &[APPOINTMENT_ID, "payment.total_price", "payment.id"],
    rest: "FROM payment ORDER BY payment.appointment_id",
};

/// The payment of an appointment in the source.
#[derive(Debug)]
struct Paid {
    appointment_id: Uuid,
    total_price: Money,
    /// Rows in the source.
    rows: usize,
}

/// Runs the subcommand.
///
/// # Errors
/// When a database fails or rows are left out.
pub async fn run(server: &Server, arguments: Arguments) -> anyhow::Result<()> {
    chassis::import::run(server, arguments, import).await
}

/// Imports all payments of the source, or says what would be done.
async fn import(source: &mut Source, database: &Database, report: &mut Report) -> anyhow::Result<()> {
    report.begin(source.count("payment").await.context(UNREADABLE)?, &LABELS);
    let mut batches = Batches::of(source, &PAYMENTS);
    loop {
        let batch = batches.next().await.context(UNREADABLE)?;
        if batch.is_empty() {
            return Ok(());
        }
        import_batch(&batch, database, report).await?;
        report.advance(batch.iter().map(Vec::len).sum());
    }
}

async fn import_batch(batch: &[Vec<Row>], database: &Database, report: &mut Report) -> anyhow::Result<()> {
    let mut fitting = Vec::with_capacity(batch.len());
    for group in batch {
        report.count("appointments read");
        match Paid::of(group) {
            Ok(paid) => fitting.push(paid),
            Err(finding) => report.add(finding)?,
        }
    }
    let ids = fitting.iter().map(|paid| paid.appointment_id).collect();
    let here = find(&database.read, ids).await.context(FAILED)?;
    let (there, missing): (Vec<_>, Vec<_>) =
        fitting.into_iter().partition(|paid| here.contains_key(&paid.appointment_id));
    there.iter().try_for_each(|paid| compare(paid, &here[&paid.appointment_id], report))?;
    if report.writes() && !missing.is_empty() {
        return write(&missing, database, report).await;
    }
    missing.iter().try_for_each(|paid| imported(paid, report))
}

async fn write(missing: &[Paid], database: &Database, report: &mut Report) -> anyhow::Result<()> {
    let by: Arc<str> = format!("import, {}", audit::operator()).into();
    let record = |paid: &Paid| Record::new(paid.appointment_id, paid.total_price, Arc::clone(&by));
    let records: Vec<_> = missing.iter().map(record).collect();
    let inserted = insert(&database.write, &records).await.context(FAILED)?;
    report.add_imported(inserted.len());
    // Recorded by a running service since they were looked up, or written in two ways in the source.
    let is_own = |record: &&Record| inserted.get(&record.appointment_id).is_some_and(|row| row.id == record.id);
    let lost = records.iter().filter(|record| !is_own(record)).map(|record| record.appointment_id).collect();
    let here = find(&database.read, lost).await.context(FAILED)?;
    missing.iter().try_for_each(|paid| match here.get(&paid.appointment_id) {
        Some(payment) => compare(paid, payment, report),
        None => imported(paid, report),
    })
}

fn imported(paid: &Paid, report: &mut Report) -> anyhow::Result<()> {
    report.count("payments");
    if paid.rows > 1 {
        let text = format!("the {} payments of this appointment, of {} each, become one", paid.rows, paid.total_price);
        report.add(Finding::adapted("DUPLICATE", paid.appointment_id, text))?;
    }
    Ok(())
}

fn compare(paid: &Paid, here: &Payment, report: &mut Report) -> anyhow::Result<()> {
    if paid.total_price == here.total_price_cents {
        report.count("there already");
        return Ok(());
    }
    let text =
        format!("here its payment has the amount {}, in the source {}", here.total_price_cents, paid.total_price);
    Ok(report.add(Finding::left_out("CONFLICT", paid.appointment_id, text))?)
}

impl Paid {
    /// The one amount of all payments of an appointment.
    fn of(group: &[Row]) -> Result<Self, Finding> {
        let invalid = |text| Finding::left_out("INVALID", group[0].shown("payment.id"), text);
        let appointment_id = group[0].required(APPOINTMENT_ID, str::parse).map_err(invalid)?;
        let amounts = group.iter().map(|row| row.required("payment.total_price", str::parse::<Money>));
        let amounts = amounts.collect::<Result<Vec<_>, _>>().map_err(invalid)?;
        let total_price = amounts[0];
        match amounts.iter().find(|amount| **amount != total_price) {
            None => Ok(Self { appointment_id, total_price, rows: group.len() }),
            Some(other) => {
                let text = format!("it has payments of different amounts, {total_price} and {other}");
                Err(Finding::left_out("AMOUNTS_DIFFER", appointment_id, text))
            }
        }
    }
}
