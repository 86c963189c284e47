//! The subcommand `accept-finance`: payments go to the finance at the configured URL from now on. Commands that read
//! payments refuse any other finance than the accepted one.

use std::io::{self, Write};

use anyhow::Context;
use chassis::{
    audit::{self, Outcome},
    cli,
    config::Server,
};
use entity::Currency;
use sea_orm::ConnectionTrait;

use crate::{
    config::FinanceTarget,
    finance_client::{FinanceClient, REQUEST_TIMEOUT},
    outbox::store,
};

/// The end of `--help`.
pub const HELP: &str = "\
The relay stores the instance id of the first finance that it meets and delivers to no other: a finance with another \
id gets no payment until it is accepted here. Run this command when finance was replaced on purpose, with the settings \
of the service, while finance runs. The relays notice at their next try, without a restart.

Payments that the previous finance has recorded are not sent again: `reconcile` names those that the new one lacks.";

/// Asks finance for its instance id, stores it, and prints what changed.
///
/// # Errors
/// When finance does not tell its id, or the database fails.
pub async fn run(server: &Server, finance: FinanceTarget, currency: Currency) -> anyhow::Result<()> {
    let database = cli::connect_beside(server).await?.write;
    let host = finance.url.authority().to_owned();
    let told = FinanceClient::new(finance, currency, REQUEST_TIMEOUT)?.instance_id().await;
    let told = told.with_context(|| format!("nothing changed: the finance at {host} does not tell its instance id"))?;
    let before = store::accept(&database, told).await.context("nothing changed: cannot write the database");
    audit::command(server.name, "accept-finance", &[told], 1, Outcome::from(&before));
    let before = before?;
    let change = match before {
        Some(before) if before == told => "as before; nothing changed".to_owned(),
        Some(before) => format!("no longer to instance {before}"),
        None => "the first one that is accepted".to_owned(),
    };
    writeln!(io::stdout(), "payments go to the finance at {host}, instance {told}: {change}").context("cannot write")
}

/// Refuses the finance at the URL unless it is the accepted one, or none was accepted yet.
pub(crate) async fn ensure_accepted(database: &impl ConnectionTrait, finance: &FinanceClient) -> anyhow::Result<()> {
    let Some(accepted) = store::destination(database).await.context("cannot read the database")? else { return Ok(()) };
    let told = finance.instance_id().await.context("cannot read finance's instance id")?;
    finance.ensure_accepted(told, accepted).context("these are not the payments of these consultations")
}
