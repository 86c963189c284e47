//! The subcommand `export`: everything that is stored about a patient, as one JSON document.
//!
//! Consultations are read in pages, each with its pending payments and redeliveries, then finance is asked for its payments. The document
//! is written when all was read: a failure leaves no half of one. Until then it is in memory.

mod document;
mod redelivery;

use std::{
    collections::HashMap,
    io::{self, Write},
};

use anyhow::Context;
use chassis::{
    audit::{self, Outcome},
    cli, clock,
    config::Server,
    database::{Connections, is_one_of},
};
use clap::Args;
use entity::{Currency, pending_payment};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::{
    accept_finance::ensure_accepted,
    config::{COMMAND_OPTIONS, FinanceTarget, patient_id},
    finance_client::{FinanceClient, MAX_PAYMENTS, REQUEST_TIMEOUT},
    store::patient::find_of_patient,
};
use document::{Consultation, Export};
use redelivery::redeliveries;

/// The end of `--help`.
pub const HELP: &str = "\
The document goes to standard output, and to nobody else if a file is made so:

  (umask 077; consultation export --patient ID > patient.json)

Run it with the settings of the service and beside it. Consultations come from the database, payments from finance's \
API; when either cannot be read, nothing is written. Times are in UTC, amounts in the `currency`. A patient \
of whom nothing is stored gets a document with an empty list. docs/privacy.md describes the fields.

Exit code: 0 if all was written, 2 for a wrong flag or setting, 1 otherwise.";

/// The arguments of the subcommand.
#[derive(Clone, Copy, Debug, Args)]
#[group(skip)]
pub struct Arguments {
    /// Id of the patient, a UUID
    #[arg(long, value_name = "ID", value_parser = patient_id, help_heading = COMMAND_OPTIONS)]
    patient: Uuid,
    /// Do not ask finance: the document has no payments but the pending ones, and says so
    #[arg(long, help_heading = COMMAND_OPTIONS)]
    without_finance: bool,
}

/// Prints the document.
///
/// # Errors
/// When the database or finance cannot be read, or the document cannot be written.
pub async fn run(
    server: &Server,
    finance: FinanceTarget,
    currency: Currency,
    arguments: Arguments,
) -> anyhow::Result<()> {
    let database = cli::connect_beside(server).await?.read;
    let client = FinanceClient::new(finance, REQUEST_TIMEOUT)?;
    let finance = (!arguments.without_finance).then_some(&client);
    let written = read(&database, finance, currency, arguments.patient).await.and_then(|export| {
        write(&export).context("cannot write the document")?;
        Ok(export.consultations.len())
    });
    // Without ids: they would tell for ever which consultations are of one patient.
    let count = written.as_ref().copied().unwrap_or_default();
    audit::command(server.name, "export", &[], count, Outcome::from(&written));
    if written? == 0 {
        // Standard output is for the document.
        cli::note("no consultation of this patient is stored");
    }
    Ok(())
}

/// Reads all that is stored about the patient.
///
/// # Errors
/// When the database or finance cannot be read.
pub async fn read(
    database: &Connections,
    finance: Option<&FinanceClient>,
    currency: Currency,
    patient: Uuid,
) -> anyhow::Result<Export> {
    if let Some(finance) = finance {
        ensure_accepted(database, finance).await?;
    }
    let mut export = Export::new(patient, currency, finance.is_some(), clock::now());
    let mut after = Uuid::nil();
    loop {
        let page = find_of_patient(database, patient, after, MAX_PAYMENTS).await.context("cannot read the database")?;
        let Some(last) = page.last() else { return Ok(export) };
        after = last.id;
        let ids: Vec<_> = page.iter().map(|consultation| consultation.id).collect();
        let mut pending = pending_payments(database, &ids).await.context("cannot read the database")?;
        let mut redelivered = redeliveries(database, &ids).await.context("cannot read the database")?;
        let payments = match finance {
            Some(finance) => finance.payments_of(&ids).await.context("cannot read finance's payments")?,
            None => Vec::new(),
        };
        let mut payments: HashMap<_, _> =
            payments.into_iter().map(|payment| (payment.appointment_id, payment)).collect();
        export.consultations.extend(page.into_iter().map(|row| {
            let (pending, payment) = (pending.remove(&row.id), payments.remove(&row.id));
            let redelivered = redelivered.remove(&row.id).unwrap_or_default();
            Consultation::new(row, pending, redelivered, payment)
        }));
    }
}

async fn pending_payments(
    database: &Connections,
    consultation_ids: &[Uuid],
) -> Result<HashMap<Uuid, pending_payment::Model>, DbErr> {
    let backend = database.get_database_backend();
    let of_them = is_one_of(backend, pending_payment::Column::AppointmentId, consultation_ids.iter().copied());
    let rows = pending_payment::Entity::find().filter(of_them).all(database).await?;
    Ok(rows.into_iter().map(|row| (row.appointment_id, row)).collect())
}

fn write(export: &Export) -> io::Result<()> {
    let mut document = serde_json::to_vec_pretty(export)?;
    document.push(b'\n');
    // Not println!, which panics when the pipe is closed.
    io::stdout().write_all(&document)?;
    io::stdout().flush()
}
