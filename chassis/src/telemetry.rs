//! Logs: one line per event on standard error, as text for people or JSON for machines.

use std::io::IsTerminal;

use clap::{Args, ValueEnum};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// What to log and how.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct TelemetrySettings {
    /// How log lines look
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "text", global = true)]
    log_format: LogFormat,
    /// What to log: a level (error, warn, info, debug, trace) or `tracing` directives
    #[arg(
        long = "rust-log",
        env = "RUST_LOG",
        default_value = "info,sea_orm_migration=warn,sqlx=warn",
        global = true,
        value_name = "FILTER"
    )]
    filter: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl TelemetrySettings {
    /// Starts logging; call once.
    ///
    /// # Errors
    /// When the filter is malformed or logging was started already.
    pub fn init(&self) -> anyhow::Result<()> {
        let filter = EnvFilter::try_new(&self.filter).map_err(|error| anyhow::anyhow!("--rust-log: {error}"))?;
        let lines = fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
        let registry = tracing_subscriber::registry().with(filter);
        match self.log_format {
            LogFormat::Text => registry.with(lines.with_target(false)).try_init()?,
            LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init()?,
        }
        Ok(())
    }
}
