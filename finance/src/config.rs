//! Settings of the finance service.

use clap::Args;

chassis::server_settings!("finance", "FINANCE", bind = "127.0.0.1:8020", database = "sqlite://data/finance.sqlite");

/// Everything that can be set.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Settings {
    /// Where to listen and store, and who may call.
    #[command(flatten)]
    pub server: ServerSettings,
}
