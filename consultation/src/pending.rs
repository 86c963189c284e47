//! The subcommand `pending`: the payments on their way to finance, oldest first, for people or as JSON. It reads pages,
//! so an outage that left many makes no large statement.

mod line;

use std::io::{self, Write};

use anyhow::Context;
use chassis::{cli, config::Server};
use clap::{Args, value_parser};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::outbox::{
    State,
    store::{self, Listed},
};
use line::{HEADER, json, text};

/// Rows in one statement: it answers in milliseconds, and each reads the whole index of undelivered rows.
const PAGE: u64 = 1_000;
/// More than that is a matter for a query on the database.
const MAX_LIMIT: u64 = 1_000_000;

/// The end of `--help`.
pub const HELP: &str = "\
Each line has the id of the consultation, the state, the amount, the sends that have started, the time since the finish, \
the time until the next send, and the beginning of the last error. Times are by the database's clock: 59s, 59m, 47h, 99d.

With --json each line is an object: consultationId, status (PENDING, PROCESSING, PARKED), totalPrice, tries, ageSeconds, \
createdAt, nextAttemptAt, lastError and retriedBy (null or a text), as in the API. New fields may come.

Nothing is changed. `retry` sends a payment now.

Exit code: 0 if all was read, also if nothing is pending, 2 for a wrong flag or setting, 1 otherwise.";

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

/// Prints the payments.
///
/// # Errors
/// When the database cannot be read, or the lines cannot be written.
pub async fn run(server: &Server, arguments: Arguments) -> anyhow::Result<()> {
    let database = cli::connect_beside(server).await?.read;
    let mut lines = 0;
    let printed = print(&database, arguments, |line| {
        if lines == 0 && !arguments.json {
            writeln!(io::stdout(), "{HEADER}")?;
        }
        lines += 1;
        writeln!(io::stdout(), "{line}")
    });
    let has_more = printed.await?;
    // Standard output is for the lines.
    if has_more {
        eprintln!("more payments are pending; --limit prints more");
    } else if lines == 0 {
        eprintln!("no payment is {}", arguments.state.unwrap_or(State::Pending));
    }
    Ok(())
}

/// Calls `write` with each line. Returns whether the limit left payments out.
async fn print(
    database: &impl ConnectionTrait,
    arguments: Arguments,
    mut write: impl FnMut(String) -> io::Result<()>,
) -> anyhow::Result<bool> {
    let (mut left, mut after) = (arguments.limit, Uuid::nil());
    loop {
        // One more than is left, to know of it.
        let page = store::list(database, arguments.state, after, PAGE.min(left + 1)).await;
        let page: Vec<Listed> = page.context("cannot read the database")?;
        let Some(last) = page.last() else { return Ok(false) };
        after = last.row.id;
        for payment in page {
            if left == 0 {
                return Ok(true);
            }
            left -= 1;
            let line = if arguments.json { json(&payment)? } else { text(&payment) };
            write(line).context("cannot write")?;
        }
    }
}
