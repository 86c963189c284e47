//! The audit log of this process.

use std::sync::OnceLock;

use anyhow::ensure;

use super::line::Line;
use crate::json_lines::{Destination, JsonLines};

static LOG: OnceLock<JsonLines> = OnceLock::new();

/// Opens the audit log of this process. Call it once.
pub(crate) fn start(destination: &Destination, serves: bool) -> anyhow::Result<()> {
    ensure!(LOG.set(destination.open("audit", serves)?).is_ok(), "the audit log was started before");
    Ok(())
}

/// Whether this process writes an audit log.
pub(super) fn is_on() -> bool {
    LOG.get().is_some()
}

pub(super) fn write(line: &Line<'_>) {
    if let Some(log) = LOG.get() {
        log.write(line);
    }
}
