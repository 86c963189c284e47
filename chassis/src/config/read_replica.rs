//! Settings of a read replica. Each service has its own prefix.

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};

use super::secret;
use crate::database::{Database, ReadReplica};

/// Below it, the pause between two looks at the replica would count. Nobody calls a list of an hour ago current.
const MAX_STALENESS_RANGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);

/// Defines `ReadReplicaSettings`, under the service's own prefix.
#[macro_export]
macro_rules! read_replica_settings {
    ($flag:literal, $variable:literal) => {
        /// A read replica of the database.
        #[derive(Clone, Debug, clap::Args)]
        #[group(skip)]
        struct ReadReplicaSettings {
            /// Read replica for queries: postgres://USER:PASSWORD@HOST/DATABASE of one standby [default: queries read from
            /// the database]
            #[arg(id = concat!($flag, "-database-read-url"), long, env = concat!($variable, "_DATABASE_READ_URL"))]
            #[arg(global = true, value_name = "URL", hide_env_values = true)]
            database_read_url: Option<secrecy::SecretString>,
            /// File with the URL of the read replica
            #[arg(id = concat!($flag, "-database-read-url-file"), long)]
            #[arg(env = concat!($variable, "_DATABASE_READ_URL_FILE"), global = true, value_name = "FILE")]
            database_read_url_file: Option<std::path::PathBuf>,
            /// Longest staleness of the read replica, 1s to 1h; beyond it queries read from the database
            #[arg(id = concat!($flag, "-database-read-max-staleness"), long)]
            #[arg(env = concat!($variable, "_DATABASE_READ_MAX_STALENESS"), global = true, value_name = "DURATION")]
            #[arg(default_value = chassis::database::DEFAULT_MAX_STALENESS)]
            #[arg(value_parser = chassis::config::max_staleness)]
            database_read_max_staleness: std::time::Duration,
        }

        impl ReadReplicaSettings {
            fn resolve(
                self,
                database_url: &secrecy::SecretString,
            ) -> anyhow::Result<Option<chassis::database::ReadReplica>> {
                let Self { database_read_url: url, database_read_url_file: file, database_read_max_staleness } = self;
                chassis::config::read_replica($flag, url, file, database_read_max_staleness, database_url)
            }
        }
    };
}

/// The read replica of a service, if it has one.
///
/// # Errors
/// When a URL is malformed or of SQLite, or the file cannot be read.
pub fn read_replica(
    service: &str,
    url: Option<SecretString>,
    file: Option<PathBuf>,
    max_staleness: Duration,
    database_url: &SecretString,
) -> anyhow::Result<Option<ReadReplica>> {
    let flag = format!("--{service}-database-read-url");
    let Some(url) = secret(&flag, url, file)? else { return Ok(None) };
    for (flag, url) in [(flag.clone(), &url), (format!("--{service}-database-url"), database_url)] {
        if url.expose_secret().starts_with("sqlite:") {
            bail!("{flag}: a read replica needs PostgreSQL: SQLite has no replicas");
        }
    }
    Database::check(&url).context(flag)?;
    Ok(Some(ReadReplica { url, max_staleness }))
}

/// Parses the longest staleness of a read replica, 1 s to 1 h.
///
/// # Errors
/// For a value of another format or out of range.
pub fn max_staleness(text: &str) -> Result<Duration, String> {
    let staleness = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if MAX_STALENESS_RANGE.contains(&staleness) { Ok(staleness) } else { Err("want 1s to 1h".to_owned()) }
}
