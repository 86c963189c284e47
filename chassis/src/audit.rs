//! The audit log: who read objects, was refused, logged in, or ran a command. One JSON object a line.
//!
//! Lines are `tracing` events of a target of their own, which [`crate::telemetry`] writes to where `--audit-log` says.
//! Of what a client sends they hold the name of the user alone, bounded: no document, no variable, no credentials.

mod line;

use std::sync::Arc;

use graphql_http::Caller;
use tracing::Level;
use uuid::Uuid;

use line::Line;
pub use line::Outcome;

/// Characters of a user's name, in a row and in a line. Anyone may choose one who tries to log in.
const MAX_NAME: usize = 512;

/// The target of the events, each of which has one line in the field `line`.
pub(crate) const TARGET: &str = "audit";

/// Whether the process writes an audit log.
#[must_use]
pub(crate) fn is_on() -> bool {
    tracing::enabled!(target: TARGET, Level::INFO)
}

/// The name of a caller as rows keep it, of at most 512 characters.
#[must_use]
pub fn user(caller: &Caller) -> Arc<str> {
    let is_storable = caller.name.len() <= MAX_NAME && !caller.name.contains(char::is_control);
    if is_storable { Arc::clone(&caller.name) } else { storable(&caller.name).into() }
}

/// The first characters of a name, with blanks for control characters: PostgreSQL stores no NUL.
fn storable(name: &str) -> String {
    name.chars().take(MAX_NAME).map(|char| if char.is_control() { ' ' } else { char }).collect()
}

/// Records a command that an operator ran on the command line of a service, with the objects that it has read or
/// changed. The user is that of the operating system.
pub fn command(service: &str, command: &str, ids: &[Uuid], outcome: Outcome) {
    if is_on() {
        let user = format!("uid {}", rustix::process::getuid().as_raw());
        let (service, user, operation) = (Some(service), Some(user.as_str()), Some(command));
        let line = Line { service, user, operation, ..Line::new("command", outcome) };
        write(&line.with_objects(ids, ids.len()));
    }
}

/// The line in place of lines that could not be written.
pub(crate) fn gap(missing: u64) -> String {
    Line { count: usize::try_from(missing).ok(), ..Line::new("gap", Outcome::Failed) }.to_json()
}

fn write(line: &Line<'_>) {
    tracing::info!(target: TARGET, line = line.to_json());
}
