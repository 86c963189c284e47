//! Settings: flags and environment variables, read once at start; secrets may come from files.

mod access;
mod issuer;
mod read_replica;
mod settings;
mod values;

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use anyhow::bail;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    database::ReadReplica,
    gate::{browsers::Browsers, client_address::TrustedProxies},
    tls,
};

pub use access::{Access, DEVELOPMENT_PASSWORD, DEVELOPMENT_USERNAME, access, secret, secret_file};
pub use issuer::{DEFAULT_ROLES_CLAIM, TokenIssuer, issuer_url, json_pointer, token_issuer};
pub use read_replica::{max_staleness, read_replica};
pub use values::{MetricsBind, address, clock_difference, connections, username};

/// Shortest password on an address that other machines can reach. The login throttle allows 346,000 guesses a day.
const MIN_PASSWORD_CHARS: usize = 8;
/// Default of the trusted proxies: this machine.
pub const DEFAULT_TRUSTED_PROXIES: &str = "127.0.0.0/8,::1";

/// Settings of any service. Made by [`server_settings!`](crate::server_settings).
#[derive(Clone, Debug)]
pub struct Server {
    /// Name in logs and in the authentication realm.
    pub name: &'static str,
    /// Address to listen on.
    pub bind: SocketAddr,
    /// Address of the metrics; `None` has none.
    pub metrics_bind: Option<SocketAddr>,
    /// `sqlite:` or `postgres:` URL.
    pub database_url: SecretString,
    /// Most client connections at once; `None` derives it from the descriptor limit.
    pub max_connections: Option<usize>,
    /// Most connections to PostgreSQL at once.
    pub database_connections: usize,
    /// Replica that queries may read; `None` has none.
    pub read_replica: Option<ReadReplica>,
    /// Largest accepted difference between this machine's clock and the database's.
    pub max_clock_difference: Duration,
    /// Users that may call with HTTP Basic.
    pub access: Access,
    /// Issuer of tokens that are accepted; `None` accepts none.
    pub token_issuer: Option<TokenIssuer>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// Whether weak passwords are accepted on an address that other machines can reach.
    pub development: bool,
    /// Certificate for HTTPS; `None` serves plain HTTP.
    pub tls: Option<tls::Files>,
    /// Restrictions on GraphQL documents.
    pub api: Api,
    /// Rules for browsers: host names and origins.
    pub browsers: Browsers,
}

/// Restrictions on GraphQL documents.
#[derive(Clone, Debug)]
pub struct Api {
    /// Whether clients may see the schema, by introspection and by suggestions in errors.
    pub introspection: bool,
    /// Directory of trusted documents, the only ones that are executed; `None` executes any.
    pub trusted_documents: Option<PathBuf>,
}

impl Default for Api {
    fn default() -> Self {
        Self { introspection: true, trusted_documents: None }
    }
}

impl Server {
    /// URL of the service on this machine. Loopback replaces an unspecified address.
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

    /// Whether the public development password protects an address that other machines can reach.
    #[must_use]
    pub fn exposes_development_password(&self) -> bool {
        let Access::User { password, .. } = &self.access else { return false };
        password.expose_secret() == DEVELOPMENT_PASSWORD && self.is_exposed()
    }

    /// Refuses the public development password, and short ones, on an address that other machines can reach.
    ///
    /// # Errors
    /// When the password is weak and the development flag is not set.
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
        if password.expose_secret().chars().count() < MIN_PASSWORD_CHARS {
            bail!(
                "{name}: a password of less than {MIN_PASSWORD_CHARS} characters must not guard {bind} (--{name}-bind); {remedy}"
            );
        }
        Ok(())
    }

    /// Whether other machines can reach the service.
    fn is_exposed(&self) -> bool {
        !self.bind.ip().to_canonical().is_loopback()
    }
}
