//! The audit log: who read objects, was refused, logged in, or ran a command. One JSON object a line.
//!
//! Lines are no `tracing` events: `RUST_LOG` would silence them, and with a filter for each of two layers
//! tracing-subscriber drops events of the log (tokio-rs/tracing#2519). Of what a client sends they hold the name of the user alone, bounded: no document, no variable, no credentials.

mod line;
mod log;

use std::sync::Arc;

use graphql_http::{
    Caller, Rule,
    observer::{Ending, Observer, Operation},
};
use uuid::Uuid;

use crate::graphql::kind_name;
use line::Line;
pub use line::Outcome;
pub(crate) use log::start;
use log::{is_on, write};

/// Characters of a user's name, in a row and in a line. Anyone may choose one who tries to log in.
const MAX_NAME: usize = 512;

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

/// The operator that runs a command: the user of the operating system, as rows and lines name it.
#[must_use]
pub fn operator() -> String {
    format!("uid {}", rustix::process::getuid().as_raw())
}

/// Records a command that an operator ran on the command line of a service, with the first of `count` objects that it
/// has read or changed.
pub fn command(service: &str, command: &str, ids: &[Uuid], count: usize, outcome: Outcome) {
    if is_on() {
        let (user, operation) = (Some(operator()), Some(command));
        let line = Line { user, operation, ..Line::new(service, "command", outcome) };
        write(&line.with_objects(ids, count));
    }
}

/// The audit log of a service, of a process that writes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Audit {
    service: &'static str,
}

impl Audit {
    /// None where no audit log is written: then nothing is collected for it.
    pub(crate) fn of(service: &'static str) -> Option<Self> {
        is_on().then_some(Self { service })
    }

    /// Records a login whose credentials were checked, or why they were not.
    pub(crate) fn login(self, caller: &Caller, request_id: &str, outcome: Outcome, reason: Option<&str>) {
        let line = self.line("login", outcome, caller, request_id);
        // Whoever failed has not shown to be that user, and has no roles.
        let roles = line.roles.filter(|_| outcome == Outcome::Permitted);
        write(&Line { roles, reason, ..line });
    }

    /// Records that a REST endpoint has shown an object that was there before.
    pub(crate) fn shown(self, caller: &Caller, request_id: &str, id: Uuid) {
        write(&self.line("operation", Outcome::Permitted, caller, request_id).with_objects(&[id], 1));
    }

    /// Records that no role of the caller permits the field for which a REST endpoint stands.
    pub(crate) fn refused(self, caller: &Caller, request_id: &str, rule: &Rule) {
        write(&self.line("operation", Outcome::Refused, caller, request_id).with_refused(rule));
    }

    fn line<'a>(self, event: &'static str, outcome: Outcome, caller: &'a Caller, request_id: &'a str) -> Line<'a> {
        let request_id = Some(request_id).filter(|id| !id.is_empty());
        let (user, roles, address) = (Some(user(caller).to_string()), Some(&*caller.roles), caller.address);
        Line { user, roles, request_id, address, ..Line::new(self.service, event, outcome) }
    }
}

impl Observer for Audit {
    fn observe(&self, operation: &Operation<'_>) {
        let outcome = match operation.ending {
            Ending::Done => Outcome::Permitted,
            Ending::Failed => Outcome::Failed,
            Ending::Refused(_) => Outcome::Refused,
        };
        let line = Line {
            operation: Some(kind_name(operation.kind)),
            fields: Some(operation.root_fields),
            sensitive: Some(operation.sensitive).filter(|names| !names.is_empty()),
            ..self.line("operation", outcome, operation.caller, operation.request_id)
        };
        write(&match operation.ending {
            Ending::Refused(rule) => line.with_refused(rule),
            Ending::Done | Ending::Failed => line.with_objects(operation.ids, operation.count),
        });
    }
}
