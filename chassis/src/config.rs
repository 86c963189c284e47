//! Settings: flags that are also variables, read once; secrets may come from files.

mod settings;

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    gate::{browsers::Browsers, client_address::TrustedProxies},
    tls,
};

/// The user of the development set-up.
pub const DEVELOPMENT_USERNAME: &str = "admin";
/// The password of the development set-up. It is public: a service that other machines can reach does not start with
/// it, unless it is told that this is development.
pub const DEVELOPMENT_PASSWORD: &str = "teste123";
/// Characters of a password where others can try it. The throttle allows 346,000 guesses a day.
const MIN_PASSWORD: usize = 8;
/// Proxies of this machine.
pub const DEFAULT_TRUSTED_PROXIES: &str = "127.0.0.0/8,::1";

/// What a service needs to start, whatever it is about. Made by [`server_settings!`](crate::server_settings).
#[derive(Clone, Debug)]
pub struct Server {
    /// The name in logs and in the authentication realm.
    pub name: &'static str,
    /// Where to listen.
    pub bind: SocketAddr,
    /// `sqlite:` or `postgres:` URL.
    pub database_url: SecretString,
    /// Connections of clients at once, if not as many as the descriptors allow.
    pub max_connections: Option<usize>,
    /// Connections to PostgreSQL at once.
    pub database_connections: usize,
    /// How far this machine's clock may differ from the database's.
    pub max_clock_difference: Duration,
    /// Who may call.
    pub access: Access,
    /// Proxies that tell the addresses of their clients.
    pub trusted_proxies: TrustedProxies,
    /// Whether public and short passwords may guard an address that other machines can reach.
    pub development: bool,
    /// The certificate with which to speak HTTPS, if not plain HTTP.
    pub tls: Option<tls::Files>,
    /// What may be asked.
    pub api: Api,
    /// By which names browsers may call, and which pages may.
    pub browsers: Browsers,
}

/// Fewer than this and a service's own loops wait for each other; more than [`MAX_CONNECTIONS`] is more than any server has.
pub const MIN_CONNECTIONS: usize = 2;
/// See [`MIN_CONNECTIONS`].
pub const MAX_CONNECTIONS: usize = 1_000;
/// Below, the time of an answer counts; above, ids would tell nothing of when their rows were written.
const CLOCK_DIFFERENCES: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(1);

/// Reads where to listen.
///
/// # Errors
/// When it is not an address with a port: a name may have several addresses.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "want an IP address and a port, as in 127.0.0.1:8010 for this machine alone or 0.0.0.0:8010 for all".to_owned()
    })
}

/// Reads a user name.
///
/// # Errors
/// When it is empty or has a colon, which ends the name in HTTP Basic.
pub fn username(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(':') {
        return Err("want a name without a colon, which HTTP Basic has between name and password".to_owned());
    }
    Ok(text.to_owned())
}

/// Reads how many connections there may be.
///
/// # Errors
/// When it is no number, or out of range.
pub fn connections(text: &str) -> Result<usize, String> {
    let range = MIN_CONNECTIONS..=MAX_CONNECTIONS;
    text.parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or(format!("want {MIN_CONNECTIONS} to {MAX_CONNECTIONS}"))
}

/// Reads by how much clocks may differ.
///
/// # Errors
/// When it is no duration, or out of range.
pub fn clock_difference(text: &str) -> Result<Duration, String> {
    let difference = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if CLOCK_DIFFERENCES.contains(&difference) { Ok(difference) } else { Err("want 100ms to 1m".to_owned()) }
}

/// What clients may ask of the API.
#[derive(Clone, Debug)]
pub struct Api {
    /// Whether it answers about its schema, in introspection and in suggestions of errors.
    pub introspection: bool,
    /// The directory of the only documents that are executed, if not any.
    pub trusted_documents: Option<PathBuf>,
}

impl Default for Api {
    fn default() -> Self {
        Self { introspection: true, trusted_documents: None }
    }
}

/// Who may call the service with HTTP Basic.
#[derive(Clone, Debug)]
pub enum Access {
    /// One user.
    User {
        /// The name.
        username: String,
        /// The password.
        password: SecretString,
    },
    /// The users of an htpasswd file with bcrypt or argon2 hashes.
    HtpasswdFile(PathBuf),
}

impl std::fmt::Display for Access {
    /// For people who just started a service: the password only if it is public anyway.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User { username, password } if password.expose_secret() == DEVELOPMENT_PASSWORD => {
                write!(f, "{username}, password {DEVELOPMENT_PASSWORD} (development only)")
            }
            Self::User { username, .. } => write!(f, "{username}"),
            Self::HtpasswdFile(file) => write!(f, "of {}", file.display()),
        }
    }
}

impl Server {
    /// Where this machine reaches the service: one that listens on all addresses is asked on loopback.
    #[must_use]
    pub fn local_url(&self) -> String {
        let mut address = self.bind;
        match address {
            SocketAddr::V4(v4) if v4.ip().is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            SocketAddr::V6(v6) if v6.ip().is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{address}")
    }

    /// Whether the public development password guards an address that other machines can reach.
    #[must_use]
    pub fn exposes_development_password(&self) -> bool {
        let Access::User { password, .. } = &self.access else { return false };
        password.expose_secret() == DEVELOPMENT_PASSWORD && self.is_exposed()
    }

    /// Refuses the public development password, and short ones, on an address that other machines can reach.
    ///
    /// # Errors
    /// When there is one, and this is not development.
    pub fn refuse_weak_password(&self) -> anyhow::Result<()> {
        let Access::User { password, .. } = &self.access else { return Ok(()) };
        if self.development || !self.is_exposed() {
            return Ok(());
        }
        let (name, bind) = (self.name, self.bind);
        let remedy = format!("set --{name}-password-file or --{name}-htpasswd-file, or --{name}-development=true");
        if password.expose_secret() == DEVELOPMENT_PASSWORD {
            bail!("{name}: the public development password must not guard {bind} (--{name}-bind); {remedy}");
        }
        if password.expose_secret().chars().count() < MIN_PASSWORD {
            bail!(
                "{name}: a password of less than {MIN_PASSWORD} characters must not guard {bind} (--{name}-bind); {remedy}"
            );
        }
        Ok(())
    }

    /// Whether other machines can reach the service.
    fn is_exposed(&self) -> bool {
        !self.bind.ip().to_canonical().is_loopback()
    }
}

/// A secret given directly or, better, in a file, whose last line break does not count. Beside a file an
/// empty value is none: so one Compose file takes back what another gave.
///
/// # Errors
/// When the secret is empty, its file cannot be read, or both were given.
pub fn secret(name: &str, value: Option<SecretString>, file: Option<PathBuf>) -> anyhow::Result<Option<SecretString>> {
    let is_empty = value.as_ref().is_some_and(|value| value.expose_secret().is_empty());
    let Some(file) = file else {
        ensure!(!is_empty, "{name} is empty");
        return Ok(value);
    };
    if value.is_some() && !is_empty {
        bail!("give {name} or {name}-file, not both");
    }
    let text =
        std::fs::read_to_string(&file).with_context(|| format!("{name}-file: cannot read {}", file.display()))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => bail!("{name}-file: {} is empty", file.display()),
        secret => Ok(Some(secret.into())),
    }
}

/// The rule for who may call: an htpasswd file if there is one, else one user.
///
/// # Errors
/// When both were given, or the password file cannot be read.
pub fn access(
    prefix: &str,
    username: Option<String>,
    password: Option<SecretString>,
    password_file: Option<PathBuf>,
    htpasswd_file: Option<PathBuf>,
) -> anyhow::Result<Access> {
    let password = secret(&format!("--{prefix}-password"), password, password_file)?;
    match htpasswd_file {
        Some(_) if username.is_some() || password.is_some() => {
            bail!("give --{prefix}-htpasswd-file or a user name and password, not both")
        }
        Some(file) => Ok(Access::HtpasswdFile(file)),
        None => Ok(Access::User {
            username: username.unwrap_or_else(|| DEVELOPMENT_USERNAME.to_owned()),
            password: password.unwrap_or_else(|| DEVELOPMENT_PASSWORD.into()),
        }),
    }
}
