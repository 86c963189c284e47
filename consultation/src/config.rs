//! Settings of the consultation service.

use std::{path::PathBuf, time::Duration};

use chassis::config::{self, DEVELOPMENT_PASSWORD};
use chrono_tz::Tz;
use clap::Args;
use entity::Money;
use reqwest::Url;
use rust_decimal::Decimal;
use secrecy::SecretString;

chassis::server_settings!(
    "consultation",
    "CONSULTATION",
    bind = "127.0.0.1:8010",
    database = "sqlite://data/consultation.sqlite"
);

/// Everything that can be set.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Settings {
    /// Where to listen and store, and who may call.
    #[command(flatten)]
    pub server: ServerSettings,
    /// How to reach finance.
    #[command(flatten)]
    pub finance: FinanceSettings,
    /// The rules of pricing and delivery.
    #[command(flatten)]
    pub domain: DomainSettings,
}

/// The rules of pricing and delivery.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct DomainSettings {
    /// Price of an hour, in the currency of the clinic (BRL): 0.00 to 999999999.99
    #[arg(long = "consultation-price-per-hour", env = "CONSULTATION_PRICE_PER_HOUR", default_value = "200.00")]
    #[arg(global = true, value_name = "AMOUNT", value_parser = price_per_hour)]
    pub price_per_hour: Money,
    /// Time zone in which an end date without an offset is read
    #[arg(long = "consultation-time-zone", env = "CONSULTATION_TIME_ZONE", default_value = "America/Sao_Paulo")]
    #[arg(global = true, value_name = "NAME")]
    pub time_zone: Tz,
    /// How often to look for payments that are due: 100ms to 1m
    #[arg(long = "consultation-poll-interval", env = "CONSULTATION_POLL_INTERVAL", default_value = "5s")]
    #[arg(global = true, value_name = "DURATION", value_parser = poll_interval)]
    pub poll_interval: Duration,
}

/// How to reach finance.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct FinanceSettings {
    /// Finance's GraphQL endpoint
    #[arg(long = "consultation-finance-url", env = "CONSULTATION_FINANCE_URL", default_value = "http://127.0.0.1:8020/graphql")]
    #[arg(global = true, value_name = "URL", value_parser = http_url)]
    pub url: Url,
    /// User name for finance
    #[arg(long = "consultation-finance-username", env = "CONSULTATION_FINANCE_USERNAME", default_value = "admin")]
    #[arg(global = true, value_name = "NAME")]
    pub username: String,
    /// Password for finance [default: teste123, for development only]
    #[arg(long = "consultation-finance-password", env = "CONSULTATION_FINANCE_PASSWORD")]
    #[arg(global = true, value_name = "PASSWORD", hide_env_values = true)]
    password: Option<SecretString>,
    /// File that holds the password for finance
    #[arg(long = "consultation-finance-password-file", env = "CONSULTATION_FINANCE_PASSWORD_FILE")]
    #[arg(global = true, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl FinanceSettings {
    /// Settings for tests and for all-in-one, where finance is known.
    #[must_use]
    pub fn new(url: Url, username: String, password: SecretString) -> Self {
        Self { url, username, password: Some(password), password_file: None }
    }

    /// The password, read from its file if it is in one.
    ///
    /// # Errors
    /// When the file cannot be read, or both were given.
    pub fn password(&self) -> anyhow::Result<SecretString> {
        let name = "--consultation-finance-password";
        let password = config::secret(name, self.password.clone(), self.password_file.clone())?;
        Ok(password.unwrap_or_else(|| DEVELOPMENT_PASSWORD.into()))
    }
}

fn price_per_hour(text: &str) -> Result<Money, String> {
    let amount = Decimal::from_str_exact(text).map_err(|_| "want an amount like 200.00".to_owned())?;
    Money::try_from(amount).map_err(|error| error.to_string())
}

fn poll_interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let range = Duration::from_millis(100)..=Duration::from_secs(60);
    if range.contains(&interval) { Ok(interval) } else { Err("want 100ms to 1m".to_owned()) }
}

fn http_url(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("{error}"))?;
    match url.scheme() {
        "http" | "https" if url.username().is_empty() && url.password().is_none() => Ok(url),
        "http" | "https" => Err("give the user name and password by their own settings".to_owned()),
        _ => Err("want an http or https URL".to_owned()),
    }
}
