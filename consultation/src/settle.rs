//! The subcommand `settle`: finance's recorded amount stands for a payment that finance refuses. It may run beside the
//! service.

use std::io::{self, Write};

use anyhow::{Context, bail};
use chassis::{
    audit::{self, Outcome},
    changes::Changes,
    cli,
    config::Server,
};
use clap::Args;
use entity::Currency;
use uuid::Uuid;

use crate::{
    app::CHANGE_FEED,
    config::{COMMAND_OPTIONS, FinanceTarget},
    finance_client::{FinanceClient, REQUEST_TIMEOUT},
    outbox::{NotSettled, SettleRefusal, Settled, Settlements},
    reason::Reason,
};

/// The end of `--help`.
pub const HELP: &str = "\
Finance has another amount for the consultation and refuses ours. A recorded payment never changes, so either finance's \
amount stands, or the matter is put right outside. This command lets it stand: the amount is read from finance, stored \
with the reason, the time and the user of the operating system beside ours, and the payment is not sent any more. The \
price of the consultation stays. It cannot be undone. `reconcile` lists it as SETTLED.

The reason is kept until the patient is forgotten, and shown to readers and operators: write no name of a patient into it.

Exit code: 0 if it is settled, 2 for a wrong flag or setting, 1 otherwise: finance has not refused the payment, has none, \
or has our amount, which `retry` delivers; or finance or the database failed. Then nothing changed.";

/// The arguments of the subcommand.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Arguments {
    /// Id of the consultation, a UUID
    #[arg(long, value_name = "ID", help_heading = COMMAND_OPTIONS)]
    consultation: Uuid,
    /// Why finance's amount stands: 1 to 500 characters
    #[arg(long, value_name = "TEXT", help_heading = COMMAND_OPTIONS)]
    reason: Reason,
}

/// Settles and prints both amounts.
///
/// # Errors
/// When the payment cannot be settled, or finance or the database fails.
pub async fn run(
    server: &Server,
    finance: FinanceTarget,
    currency: Currency,
    arguments: Arguments,
) -> anyhow::Result<()> {
    let Arguments { consultation, reason } = arguments;
    let database = cli::connect_beside(server).await?;
    let finance = FinanceClient::new(finance, currency, REQUEST_TIMEOUT)?;
    let settled = Changes::beside(CHANGE_FEED, &database, async |changes| {
        let settlements = Settlements { database: database.clone(), finance, changes };
        let settled = settlements.settle(consultation, &reason, &audit::operator()).await;
        let outcome = match &settled {
            Ok(Ok(_)) => Outcome::Permitted,
            Ok(Err(_)) => Outcome::Refused,
            Err(_) => Outcome::Failed,
        };
        audit::command(server.name, "settle", &[consultation], usize::from(outcome == Outcome::Permitted), outcome);
        settled
    });
    writeln!(io::stdout(), "{}", said(consultation, settled.await)?).context("cannot write")
}

fn said(id: Uuid, settled: Result<Settled, NotSettled>) -> anyhow::Result<String> {
    match settled.context("nothing changed")? {
        Ok(row) => Ok(format!(
            "settled: finance's {} stands for consultation {id}, whose price is {}",
            row.amount(),
            row.total_price_cents
        )),
        Err(SettleRefusal::NotRefused(_)) => {
            bail!("nothing to settle: finance has not refused the payment of consultation {id}, or it is settled")
        }
        Err(SettleRefusal::NotRecorded) => bail!(
            "nothing to settle: finance has no payment of consultation {id}; `consultation pending` says why it refused it"
        ),
        Err(SettleRefusal::AmountsAgree(amount)) => {
            bail!("nothing to settle: finance has recorded {amount}, as we have; run `consultation retry {id}`")
        }
    }
}
