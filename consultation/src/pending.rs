//! The subcommand `pending`: the payments on their way to finance, oldest first, for people or as JSON. It reads the ids
//! at once and the rows in batches, so an outage that left many fills no memory with rows.

mod line;

use std::io::{self, ErrorKind, Write};

use anyhow::Context;
use chassis::{cli, config::Server};
use clap::{Args, value_parser};
use sea_orm::ConnectionTrait;

use crate::outbox::{State, store};
use line::{HEADER, json, text};

const UNREADABLE: &str = "cannot read the database";
const UNWRITABLE: &str = "cannot write";
/// Rows in one statement: it answers in milliseconds.
const BATCH: usize = 1_000;
/// More than that is a matter for a query on the database.
const MAX_LIMIT: u64 = 1_000_000;

/// The end of `--help`.
pub const HELP: &str = "\
Each line has the id of the consultation, the state, the amount, the sends that have started, the time since the finish, \
the time until the next send, and the beginning of the last error. Times are by the database's clock: 59s, 59m, 47h, 99d.

With --json each line is an object: consultationId, status (PENDING, PROCESSING, PARKED), totalPrice, tries, ageSeconds, \
createdAt, nextAttemptAt, lastError and retriedBy (null or a text), as in the API. New fields may come.

Nothing is changed. `retry` sends a payment now.

Exit code: 0 if all was read, also if nothing is pending or the reader of the lines went away, as `head` does, 2 for a \
wrong flag or setting, 1 otherwise.";

/// The arguments of the subcommand.
#[derive(Clone, Copy, Debug, Args)]
#[group(skip)]
pub struct Arguments {
    /// Only payments in this state [default: all that are not delivered]
    #[arg(long, value_enum, hide_possible_values = true, value_name = "pending|processing|parked")]
    state: Option<State>,
    /// Most payments to print, 1 to 1000000
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u64).range(1..=MAX_LIMIT))]
    limit: u64,
    /// Print a JSON object a line
    #[arg(long)]
    json: bool,
}

/// Prints the payments. A reader that has seen enough, as `head`, is a success.
///
/// # Errors
/// When the database cannot be read, or the lines cannot be written.
pub async fn run(server: &Server, arguments: Arguments) -> anyhow::Result<()> {
    let database = cli::connect_beside(server).await?.read;
    let printed = print(&database, arguments).await;
    let is_closed =
        |error: &anyhow::Error| error.downcast_ref::<io::Error>().map(io::Error::kind) == Some(ErrorKind::BrokenPipe);
    match printed {
        Err(error) if is_closed(&error) => Ok(()),
        printed => printed,
    }
}

async fn print(database: &impl ConnectionTrait, arguments: Arguments) -> anyhow::Result<()> {
    // One more than is printed, to know whether there are more.
    let mut ids = store::ids(database, arguments.state, arguments.limit + 1).await.context(UNREADABLE)?;
    let has_more = ids.len() as u64 > arguments.limit;
    ids.truncate(ids.len() - usize::from(has_more));
    let mut out = io::stdout();
    let mut is_empty = true;
    for batch in ids.chunks(BATCH) {
        for payment in store::list(database, arguments.state, batch).await.context(UNREADABLE)? {
            if is_empty && !arguments.json {
                writeln!(out, "{HEADER}").context(UNWRITABLE)?;
            }
            is_empty = false;
            let line = if arguments.json { json(&payment)? } else { text(&payment) };
            writeln!(out, "{line}").context(UNWRITABLE)?;
        }
    }
    // Standard output is for the lines.
    if has_more {
        cli::note("more payments are pending; --limit prints more");
    } else if is_empty {
        cli::note(format_args!("no payment is {}", arguments.state.unwrap_or(State::Pending)));
    }
    Ok(())
}
