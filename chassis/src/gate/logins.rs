//! Authentication before any other work for a request: HTTP Basic, bearer tokens, or both.
//!
//! Failed logins are throttled, and slow hashes are computed one at a time: guessing is slow and costs other clients
//! little. An htpasswd file, its group file and the keys of an issuer are reloaded when they change.

mod admission;
mod attempt;
mod denied;
mod entrances;
mod fingerprint;
mod groups;
mod htpasswd;
mod queue;
mod throttle;
mod tokens;
mod users;

use std::{
    net::IpAddr,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::http::{Extensions, HeaderMap};
use futures_util::future::OptionFuture;
use tokio_util::sync::CancellationToken;

use super::client_address::{self, TrustedProxies};
use crate::{
    audit::Audit,
    config::{Access, TokenIssuer},
    metrics::{LoginMeter, Metrics},
};
use denied::Schemes;
pub use entrances::require;
use groups::Groups;
use htpasswd::HtpasswdFile;
use queue::Queue;
use throttle::Throttle;
use tokens::Tokens;
use users::Users;

/// Delay after which a removed user is refused.
const RELOAD_INTERVAL: Duration = Duration::from_secs(5);

/// Checks credentials.
#[derive(Debug)]
pub struct Authenticator {
    realm: &'static str,
    /// The roles that users may have.
    roles: &'static [&'static str],
    proxies: TrustedProxies,
    /// `None`: HTTP Basic is off.
    users: Option<RwLock<Arc<Users>>>,
    file: Option<HtpasswdFile>,
    tokens: Option<Tokens>,
    throttle: Arc<Throttle>,
    queue: Queue,
    /// An untrusted proxy is logged once.
    has_logged_proxy: AtomicBool,
    audit: Option<Audit>,
    meter: LoginMeter,
}

impl Authenticator {
    /// Reads the users and their roles. Without a group file each has all of `roles`.
    ///
    /// # Errors
    /// When a file cannot be read, or a line is no bcrypt or argon2 hash or names a role that is not one of `roles`.
    pub fn new(realm: &'static str, access: &Access, roles: &'static [&'static str]) -> anyhow::Result<Self> {
        let (users, file) = match access {
            Access::User { username, password } => (Some(Users::one(username, password, Groups::equal(roles))), None),
            Access::HtpasswdFile { users, groups } => {
                let (file, users) = HtpasswdFile::open(users, groups.as_deref(), roles)?;
                (Some(Users::of(users)), Some(file))
            }
            Access::TokensOnly => (None, None),
        };
        Ok(Self {
            realm,
            roles,
            proxies: TrustedProxies::default(),
            users: users.map(|users| RwLock::new(Arc::new(users))),
            file,
            tokens: None,
            throttle: Arc::default(),
            queue: Queue::default(),
            has_logged_proxy: AtomicBool::new(false),
            audit: Audit::of(realm),
            meter: LoginMeter::default(),
        })
    }

    /// Trusts the X-Forwarded-For of these proxies.
    #[must_use]
    pub fn behind(self, proxies: TrustedProxies) -> Self {
        Self { proxies, ..self }
    }

    /// Counts logins, and shows when the issuer's keys were read.
    #[must_use]
    pub(crate) fn measured(self, metrics: &Metrics) -> Self {
        if let Some(tokens) = &self.tokens {
            let help = "Last time that the keys of the token issuer were read, in seconds since 1970";
            metrics.register("jwks_last_success_timestamp_seconds", help, tokens.keys_read_at());
        }
        Self { meter: metrics.logins.clone(), ..self }
    }

    /// Accepts the tokens of this issuer too.
    ///
    /// # Errors
    /// When the file with its keys cannot be used.
    pub fn with_issuer(self, issuer: &TokenIssuer) -> anyhow::Result<Self> {
        Ok(Self { tokens: Some(Tokens::of(issuer, self.roles)?), ..self })
    }

    /// Reloads the files and forgets the logins that the old ones admitted. Returns whether their content changed.
    ///
    /// # Errors
    /// When a file cannot be read or has a malformed line. The users stay, and the same content is not reported
    /// again.
    pub fn renew(&self) -> anyhow::Result<bool> {
        let (Some(users), Some(file)) = (&self.users, &self.file) else { return Ok(false) };
        let Some(changed) = file.changed()? else { return Ok(false) };
        let mut users = users.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *users, Arc::new(Users::of(changed)));
        old.outdated.cancel();
        Ok(true)
    }

    /// Reloads the files and the issuer's keys periodically until shutdown, as [`crate::tls`] does with the certificate.
    pub(crate) async fn keep_renewed(self: Arc<Self>, shutdown: CancellationToken) {
        let keys = OptionFuture::from(self.tokens.as_ref().map(Tokens::keep_renewed));
        shutdown.run_until_cancelled(async { tokio::join!(self.keep_users_renewed(), keys) }).await;
    }

    async fn keep_users_renewed(&self) {
        let Some(file) = self.file.as_ref().map(|file| file.path.display().to_string()) else { return };
        loop {
            tokio::time::sleep(RELOAD_INTERVAL).await;
            match self.renew() {
                Ok(false) => {}
                Ok(true) => tracing::info!(file, "the users were reloaded"),
                Err(error) => tracing::error!(file, "the users stay as they are: {error:#}"),
            }
        }
    }

    fn schemes(&self) -> Schemes {
        Schemes { realm: self.realm, basic: self.users.is_some(), bearer: self.tokens.is_some() }
    }

    /// The address of the client that sent a request.
    fn client(&self, extensions: &Extensions, headers: &HeaderMap) -> IpAddr {
        let peer = client_address::peer(extensions);
        if self.proxies.ignores(peer, headers) && !self.has_logged_proxy.swap(true, Ordering::Relaxed) {
            let flag = format!("--{}-trusted-proxies", self.realm);
            tracing::warn!(%peer, "X-Forwarded-For is ignored: this peer is no trusted proxy, so its clients count as one; to trust it, add it to {flag}");
        }
        self.proxies.client(peer, headers)
    }
}
