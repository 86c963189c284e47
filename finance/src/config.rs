//! Settings of the finance service.

use clap::Args;

chassis::server_settings!(
    "finance",
    "FINANCE",
    bind = "127.0.0.1:8020",
    metrics = "127.0.0.1:9020",
    database = "sqlite://data/finance.sqlite"
);

/// All settings.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Settings {
    /// Address, database and access.
    #[command(flatten)]
    pub server: ServerSettings,
}
