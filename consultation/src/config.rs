//! Settings of the consultation service.

mod finance;

use std::time::Duration;

use chrono_tz::Tz;
use clap::Args;
use entity::{Currency, Money};
use rust_decimal::Decimal;
use uuid::Uuid;

pub use finance::{ClientCertificate, Credentials, FinanceSettings, FinanceTarget, Password};

chassis::server_settings!(
    "consultation",
    "CONSULTATION",
    bind = "127.0.0.1:8010",
    metrics = "127.0.0.1:9010",
    database = "sqlite://data/consultation.sqlite"
);

/// The heading of a command's own options in `--help`, apart from the settings of the service.
pub(crate) const COMMAND_OPTIONS: &str = "Options of this command";

/// A consultation of less than an hour costs an hour: a shorter limit would refuse what costs no more.
const MIN_LONGEST: Duration = Duration::from_hours(1);
/// Ten years: more would limit nothing.
const MAX_LONGEST: Duration = Duration::from_hours(10 * 366 * 24);
/// Longer than any law requires records to be kept. Dates beyond it would overflow.
const MAX_RETENTION: Duration = Duration::from_hours(100 * 366 * 24);

/// All settings.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Settings {
    /// Address, database and access.
    #[command(flatten)]
    pub server: ServerSettings,
    /// The finance that payments go to.
    #[command(flatten)]
    pub finance: FinanceSettings,
    /// Prices, durations and delivery.
    #[command(flatten)]
    pub domain: DomainSettings,
}

/// Prices, durations and delivery.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct DomainSettings {
    /// Currency of all amounts: an ISO 4217 code, of a currency with two decimals. Finance needs the same
    #[arg(id = "consultation-currency", long, env = "CONSULTATION_CURRENCY", default_value = "BRL")]
    #[arg(global = true, value_name = "CODE")]
    pub currency: Currency,
    /// Price of an hour in the currency: 0.00 to 999999999.99
    #[arg(long = "consultation-price-per-hour", env = "CONSULTATION_PRICE_PER_HOUR", default_value = "200.00")]
    #[arg(global = true, value_name = "AMOUNT", value_parser = price_per_hour)]
    pub price_per_hour: Money,
    /// Time zone of start and end dates without an offset
    #[arg(long = "consultation-time-zone", env = "CONSULTATION_TIME_ZONE", default_value = "America/Sao_Paulo")]
    #[arg(global = true, value_name = "NAME", value_parser = time_zone)]
    pub time_zone: Tz,
    /// Longest duration of a consultation, 1h to 10years: a later end date is refused
    #[arg(long = "consultation-longest", env = "CONSULTATION_LONGEST", default_value = "24h")]
    #[arg(global = true, value_name = "DURATION", value_parser = longest)]
    pub longest: Duration,
    /// Longest time between a start and its entry, up to 10years: an earlier start date is refused; with 0s, any
    #[arg(long = "consultation-longest-backdate", env = "CONSULTATION_LONGEST_BACKDATE", default_value = "24h")]
    #[arg(global = true, value_name = "DURATION", value_parser = longest_backdate)]
    pub longest_backdate: Duration,
    /// Interval of polls for due payments: 100ms to 5s
    #[arg(long = "consultation-poll-interval", env = "CONSULTATION_POLL_INTERVAL", default_value = "5s")]
    #[arg(global = true, value_name = "DURATION", value_parser = poll_interval)]
    pub poll_interval: Duration,
    /// Time after which delivered rows are deleted from the outbox, 1day to 100years, or never
    // A plain `Option` would be a setting without a default to clap.
    #[arg(long = "consultation-retention", env = "CONSULTATION_RETENTION", default_value = "90days")]
    #[arg(global = true, value_name = "DURATION", value_parser = retention)]
    pub retention: std::option::Option<Duration>,
}

fn price_per_hour(text: &str) -> Result<Money, String> {
    let amount = Decimal::from_str_exact(text).map_err(|_| "want an amount like 200.00".to_owned())?;
    Money::try_from(amount).map_err(|error| error.to_string())
}

fn time_zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| "want a name of the IANA time zone database, as in America/Sao_Paulo".to_owned())
}

fn poll_interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let range = Duration::from_millis(100)..=Duration::from_secs(5);
    if range.contains(&interval) { Ok(interval) } else { Err("want 100ms to 5s".to_owned()) }
}

fn longest(text: &str) -> Result<Duration, String> {
    let longest = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let range = MIN_LONGEST..=MAX_LONGEST;
    if range.contains(&longest) { Ok(longest) } else { Err("want 1h to 10years".to_owned()) }
}

fn longest_backdate(text: &str) -> Result<Duration, String> {
    let longest = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if longest <= MAX_LONGEST { Ok(longest) } else { Err("want 0s to 10years".to_owned()) }
}

fn retention(text: &str) -> Result<Option<Duration>, String> {
    if text == "never" {
        return Ok(None);
    }
    let keep = humantime::parse_duration(text).map_err(|error| format!("{error}; or want never"))?;
    let range = Duration::from_hours(24)..=MAX_RETENTION;
    if range.contains(&keep) { Ok(Some(keep)) } else { Err("want 1day to 100years, or never".to_owned()) }
}

/// Parses the id of a patient.
pub(crate) fn patient_id(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| "want a UUID, as in ea959b03-5577-45c9-b9f7-a45d3e77ce82".to_owned())
}
