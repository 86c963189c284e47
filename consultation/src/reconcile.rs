//! Reconciliation: whether every finished consultation was charged, once, with its price, and nothing else.
//!
//! It may run beside the services. Each side is read in the order in which it is written, so that what
//! happens in between is never taken for a difference: a consultation, its pending payment, its payment.
//! What was confirmed here before finance was asked is there; what finance had before we looked is finished here.

mod page;
mod report;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::{Context, bail};
use chassis::{cli, config::Server};
use sea_orm::DatabaseConnection;
use uuid::Uuid;

use crate::{
    config::Finance,
    finance::{FinanceClient, REQUEST_LIMIT},
    outbox::store,
};
use page::Page;
pub use report::{Difference, HELP, Reconciliation};

/// The two sides could not be compared; 1 is for those that do not agree.
const NOT_COMPARED: u8 = 2;
const NO_REPORT: &str = "cannot write the report";

/// The two sides were compared, and differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("consultations and payments do not agree")]
pub struct Disagree;

/// The subcommand: names each difference on standard output, and counts.
///
/// # Errors
/// [`Disagree`] when there is a difference; another when the database or finance cannot be read.
pub async fn run(server: &Server, finance: Finance) -> anyhow::Result<()> {
    let database = cli::connect(server).await?.read;
    let client = FinanceClient::new(finance, REQUEST_LIMIT)?;
    // Not println!, which panics when nobody reads on.
    let reconciliation = reconcile(&database, &client, |difference| writeln!(io::stdout(), "{difference}")).await?;
    writeln!(io::stdout(), "{reconciliation}").context(NO_REPORT)?;
    if reconciliation.differences > 0 {
        bail!(Disagree);
    }
    Ok(())
}

/// Says what went wrong and gives the exit code of the subcommand, as `diff` has it: 0 if both sides agree,
/// 1 if they do not, 2 if they could not be compared, be it for a setting.
#[must_use]
pub fn exit_code(outcome: anyhow::Result<()>) -> ExitCode {
    let compared = outcome.as_ref().map_or_else(anyhow::Error::is::<Disagree>, |()| true);
    let code = cli::exit_code(outcome);
    if compared { code } else { ExitCode::from(NOT_COMPARED) }
}

/// Compares both sides page by page.
///
/// # Errors
/// When the database or finance cannot be read, or `report` fails.
pub async fn reconcile(
    database: &DatabaseConnection,
    finance: &FinanceClient,
    mut report: impl FnMut(Difference) -> io::Result<()>,
) -> anyhow::Result<Reconciliation> {
    if let Some(accepted) = store::destination(database).await.context("cannot read the database")? {
        let told = finance.instance_id().await.context("cannot read finance's instance id")?;
        finance.ensure_accepted(told, accepted).context("these are not the payments of these consultations")?;
    }
    let mut sum = Reconciliation::default();
    let mut report = |sum: &mut Reconciliation, difference| {
        sum.differences += 1;
        report(difference).context(NO_REPORT)
    };
    let mut after = Uuid::nil();
    while let Some(page) = Page::after(database, after).await.context("cannot read the database")? {
        let recorded = finance.payments_of(&page.ids()).await.context("cannot read finance's payments")?;
        for compared in page.compare(&recorded) {
            sum.consultations += 1;
            match compared {
                page::Compared::Agrees => {}
                page::Compared::InTransit => sum.in_transit += 1,
                page::Compared::Differs(difference) => report(&mut sum, difference)?,
            }
        }
        after = page.last();
    }
    let mut cursor = None;
    loop {
        let (payments, next) = finance.payments_after(cursor).await.context("cannot read finance's payments")?;
        let known = page::finished(database, &payments).await.context("cannot read the database")?;
        sum.payments += payments.len() as u64;
        for stranger in payments.into_iter().filter(|payment| !known.contains(&payment.appointment_id)) {
            report(&mut sum, Difference::PaymentWithoutConsultation(stranger))?;
        }
        let Some(next) = next else { return Ok(sum) };
        cursor = Some(next);
    }
}
