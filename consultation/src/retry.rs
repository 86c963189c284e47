//! The subcommand `retry`: has the relay send a payment now, or all parked ones. It may run beside the service, whose
//! relays find the rows at their next poll.

use std::io::{self, Write};

use anyhow::{Context, ensure};
use chassis::{
    audit::{self, Outcome},
    cli,
    config::Server,
    database::Database,
};
use clap::Args;
use uuid::Uuid;

use crate::outbox::store;

/// Rows in one transaction, and ids in a line of the audit log.
const BATCH: u64 = 100;

/// The end of `--help`.
pub const HELP: &str = "\
The payment is due now, as if finance had never refused it; finance records it once, however often it is sent. A running \
service sends it within its poll interval, unless finance is down: then with the others, once finance is back. The user \
of the operating system is stored as `retriedBy`, as in `uid 1000`.

With --parked these are all payments that finance has refused and that are not being sent at this moment, 100 in a \
transaction. Each is retried once, even if finance refuses it again meanwhile.

Exit code: 0 if all is due, also if nothing was parked, 2 for a wrong flag or setting, 1 otherwise: there is nothing to \
send for the consultation, or the database failed. Then run it again.";

/// The arguments of the subcommand.
#[derive(Clone, Copy, Debug, Args)]
#[group(skip)]
pub struct Arguments {
    /// Id of the consultation, a UUID
    #[arg(value_name = "ID", required_unless_present = "parked", conflicts_with = "parked")]
    consultation: Option<Uuid>,
    /// Retry all parked payments
    #[arg(long)]
    parked: bool,
}

/// Retries and prints what is due.
///
/// # Errors
/// When there is nothing to send for the consultation, or the database fails.
pub async fn run(server: &Server, arguments: Arguments) -> anyhow::Result<()> {
    let database = cli::connect_beside(server).await?;
    let done = match arguments.consultation {
        Some(id) => retry(server, &database, id).await.map(|()| format!("the payment of consultation {id} is due now")),
        None => retry_parked(server, &database).await.map(|count| match count {
            0 => "no payment is parked; nothing changed".to_owned(),
            count => format!("{count} parked payments are due now"),
        }),
    }?;
    writeln!(io::stdout(), "{done}").context("cannot write")
}

async fn retry(server: &Server, database: &Database, id: Uuid) -> anyhow::Result<()> {
    let redriven = store::redrive(&database.write, id, &audit::operator()).await.context("the database failed");
    let redriven = redriven.and_then(|is_undelivered| {
        ensure!(
            is_undelivered,
            "nothing to send: consultation {id} is unknown or in progress, or finance has its payment"
        );
        Ok(())
    });
    audit::command(server.name, "retry", &[id], usize::from(redriven.is_ok()), Outcome::from(&redriven));
    redriven
}

/// Returns the number of payments.
async fn retry_parked(server: &Server, database: &Database) -> anyhow::Result<usize> {
    let (operator, mut count, mut after) = (audit::operator(), 0, Uuid::nil());
    loop {
        let batch = store::redrive_parked(database, after, BATCH, &operator).await;
        let consultations: Vec<_> = batch.iter().flatten().map(|(_, consultation)| *consultation).collect();
        if batch.is_err() || !consultations.is_empty() {
            audit::command(server.name, "retry", &consultations, consultations.len(), Outcome::from(&batch));
        }
        let batch = batch.with_context(|| format!("the database failed after {count} payments"))?;
        let Some((last, _)) = batch.last() else { return Ok(count) };
        (after, count) = (*last, count + batch.len());
    }
}
