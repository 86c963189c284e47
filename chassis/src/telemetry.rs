//! Logs: one line per event on standard error, as text for people or JSON for machines; and the audit and access logs.

mod filter;
mod one_line;

use std::{io::IsTerminal, time::Duration};

use clap::{Args, ValueEnum};
use tracing_subscriber::{fmt, prelude::*};

use crate::{access_log, audit, cli::wrong_setting, json_lines::Destination};
use filter::Filter;
pub use one_line::one_line;

/// Settings of the log.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct TelemetrySettings {
    /// Format of log lines
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "text", global = true)]
    log_format: LogFormat,
    /// Events to log: a level (error, warn, info, debug, trace, off) or `tracing` directives, as in info,sqlx=debug
    #[arg(
        long = "rust-log",
        env = "RUST_LOG",
        default_value = "info,sea_orm_migration=warn,sqlx=warn",
        global = true,
        value_name = "FILTER"
    )]
    filter: Filter,
    /// File to which the audit log is appended, a JSON object for each read of data, refusal, login and command; or - for
    /// standard output, and for standard error of a command [default: none]
    #[arg(long = "audit-log", env = "AUDIT_LOG", global = true, value_name = "FILE")]
    audit_log: Option<Destination>,
    /// File to which the access log is appended, a JSON object for each request; or - for standard output [default: none]
    #[arg(long = "access-log", env = "ACCESS_LOG", global = true, value_name = "FILE")]
    access_log: Option<Destination>,
    /// Write to the access log only requests that took at least this long, as in 500ms, and those that failed
    /// [default: all requests]
    #[arg(long = "access-log-min-duration", env = "ACCESS_LOG_MIN_DURATION", global = true, value_name = "DURATION")]
    #[arg(value_parser = min_duration, requires = "access_log")]
    access_log_min_duration: Option<Duration>,
}

/// Format of log lines.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    /// Text for people.
    Text,
    /// One JSON object per line, for machines.
    Json,
}

fn min_duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "want a duration, as in 500ms or 2s".to_owned())
}

impl TelemetrySettings {
    /// Starts logging. Call it once. A process that does not serve runs a command, whose result is on standard output.
    ///
    /// # Errors
    /// When the audit log or the access log cannot be opened, or logging has been started before.
    pub fn init(&self, serves: bool) -> anyhow::Result<()> {
        let lines = fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
        let registry = tracing_subscriber::registry().with(self.filter.directives());
        match self.log_format {
            LogFormat::Text => registry.with(lines.with_target(false).fmt_fields(one_line::fields())).try_init()?,
            LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init()?,
        }
        self.audit_log.as_ref().map_or(Ok(()), |log| audit::start(log, serves)).map_err(wrong_setting)?;
        let Some(access_log) = self.access_log.as_ref().filter(|_| serves) else { return Ok(()) };
        access_log::start(access_log, self.access_log_min_duration.unwrap_or_default()).map_err(wrong_setting)
    }
}
