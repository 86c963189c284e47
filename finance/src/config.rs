//! Settings of the finance service.

use clap::Args;
use entity::Currency;

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
    /// Currency of all amounts: an ISO 4217 code, of a currency with two decimals. Consultation needs the same
    #[arg(id = "finance-currency", long, env = "FINANCE_CURRENCY", default_value = "BRL")]
    #[arg(global = true, value_name = "CODE")]
    pub currency: Currency,
}
