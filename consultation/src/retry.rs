//! The subcommand `retry`: has the relay send a payment now, or all parked ones. It may run beside the service, whose
//! relays find the rows at their next poll.

use std::io::{self, Write};

use anyhow::{Context, bail};
use chassis::{
    audit::{self, Outcome},
    changes::Changes,
    cli,
    config::Server,
    database::Database,
};
use clap::Args;
use tokio::time::sleep;
use uuid::Uuid;

use crate::{
    app::CHANGE_FEED,
    outbox::{
        BATCH_PAUSE, State,
        store::{self, Redriven},
    },
};

/// Rows in one transaction, and ids in a line of the audit log.
const BATCH: usize = 100;
/// Most payments of one run: their ids take 16 MB.
const MAX_PARKED: u64 = 1_000_000;

/// The end of `--help`.
pub const HELP: &str = "\
The payment is due now, as if finance had never refused it; finance records it once, however often it is sent. A running \
service sends it within its poll interval, unless finance is down: then with the others, once finance is back. The user \
of the operating system is stored as `retriedBy`, as in `uid 1000`.

A payment that is being sent at this moment is not sent twice. If finance refuses that send, it is parked again: then run \
it again.

With --parked these are all payments that finance has refused and that are not being sent at this moment, at most \
1000000. Each is retried once, even if finance refuses it again meanwhile. 100 are retried in a transaction, with a pause \
of 100 ms after it, in which the service works.

Exit code: 0 if all is due or being sent, also if nothing was parked, 2 for a wrong flag or setting, 1 otherwise: there is \
nothing to send for the consultation, or the database failed. Then run it again.";

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
    let done = Changes::beside(CHANGE_FEED, &database, async |changes| match arguments.consultation {
        Some(id) => retry(server, &database, &changes, id).await,
        None => retry_parked(server, &database, &changes).await.map(|count| match count {
            0 => "no payment is parked; nothing changed".to_owned(),
            count => format!("{count} parked payments are due now"),
        }),
    });
    writeln!(io::stdout(), "{}", done.await?).context("cannot write")
}

/// Returns what became of it, for people.
async fn retry(server: &Server, database: &Database, changes: &Changes, id: Uuid) -> anyhow::Result<String> {
    let redriven = store::redrive(&database.write, id, &audit::operator()).await;
    // Also after a failure: the row may be due nevertheless.
    if !matches!(redriven, Ok(Redriven::NothingToSend)) {
        changes.publish(&[id]);
    }
    let redriven = redriven.context("the database failed").and_then(|redriven| match redriven {
        Redriven::Due => Ok(format!("the payment of consultation {id} is due now")),
        Redriven::Processing => Ok(format!(
            "the payment of consultation {id} is being sent at this moment; run this again if finance refuses it"
        )),
        Redriven::NothingToSend => {
            bail!("nothing to send: consultation {id} is unknown, in progress or cancelled, or finance has its payment")
        }
    });
    audit::command(server.name, "retry", &[id], usize::from(redriven.is_ok()), Outcome::from(&redriven));
    redriven
}

/// Returns the number of payments.
async fn retry_parked(server: &Server, database: &Database, changes: &Changes) -> anyhow::Result<usize> {
    let (operator, mut count) = (audit::operator(), 0);
    let parked =
        store::ids(&database.read, Some(State::Parked), MAX_PARKED).await.context("cannot read the database")?;
    for (number, ids) in parked.chunks(BATCH).enumerate() {
        if number > 0 {
            sleep(BATCH_PAUSE).await;
        }
        let batch = store::redrive_parked(database, ids, &operator).await;
        match &batch {
            Ok(consultations) => changes.publish(consultations),
            // They may be due nevertheless.
            Err(_) => changes.publish_missed(),
        }
        let consultations = batch.as_deref().unwrap_or_default();
        if batch.is_err() || !consultations.is_empty() {
            audit::command(server.name, "retry", consultations, consultations.len(), Outcome::from(&batch));
        }
        count += batch.with_context(|| format!("the database failed after {count} payments"))?.len();
    }
    Ok(count)
}
