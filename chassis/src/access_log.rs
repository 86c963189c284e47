//! The access log: who asked what, how it ended and how long it took. One JSON object for each request, written when its
//! response has been sent, and one for each operation over a WebSocket.
//!
//! Of what a client sends a line holds the request id and the name of the user, both bounded: no path, no query string, no
//! document, no variable, no credentials. Without an access log nothing is collected.

mod body;
mod line;
mod operations;
mod request;
#[cfg(test)]
mod tests;

use std::{sync::OnceLock, time::Duration};

use anyhow::ensure;

use crate::json_lines::{Destination, JsonLines};
use line::Line;
pub(crate) use operations::Operations;
pub(crate) use request::{Current, Request, note_caller};

static LOG: OnceLock<(JsonLines, Duration)> = OnceLock::new();

/// Opens the access log of this process: requests below `min_duration` are left out unless they failed. Call it once.
pub(crate) fn start(destination: &Destination, min_duration: Duration) -> anyhow::Result<()> {
    ensure!(LOG.set((destination.open("access", true)?, min_duration)).is_ok(), "the access log was started before");
    Ok(())
}

/// The access log of a service, of a process that writes one.
#[derive(Clone, Copy)]
pub(crate) struct AccessLog {
    service: &'static str,
    lines: &'static JsonLines,
    min_duration: Duration,
}

impl AccessLog {
    /// None where no access log is written.
    pub(crate) fn of(service: &'static str) -> Option<Self> {
        LOG.get().map(|(lines, min_duration)| Self { service, lines, min_duration: *min_duration })
    }

    fn write(self, line: Line<'_>, duration: Duration) {
        if line.outcome != line::OK || duration >= self.min_duration {
            self.lines.write(&line.ended(self.service, duration));
        }
    }
}
