//! HTTP Basic authentication, before any other work for a request.
//!
//! Failed logins are throttled, and slow hashes are computed one at a time: guessing is slow and costs other clients
//! little. An htpasswd file and its group file are reloaded when they change.

mod attempt;
mod denied;
mod groups;
mod htpasswd;
mod queue;
mod throttle;
mod users;

use std::{
    net::IpAddr,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{Extensions, HeaderMap, header, request::Parts},
    middleware::{self, Next},
    response::Response,
};
use futures_util::future::BoxFuture;
use graphql_http::{Authenticate, Caller, ClientNetwork, Rejected};
use headers::{Authorization, HeaderMapExt, authorization::Basic};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::client_address::{self, TrustedProxies};
use crate::config::Access;
use attempt::Attempt;
use denied::Denied;
use groups::Groups;
use htpasswd::HtpasswdFile;
use queue::Queue;
use throttle::Throttle;
use users::{Users, Verdict};

/// Delay after which a removed user is refused.
const RELOAD_INTERVAL: Duration = Duration::from_secs(5);

/// Checks credentials.
#[derive(Debug)]
pub struct Authenticator {
    realm: &'static str,
    proxies: TrustedProxies,
    users: RwLock<Arc<Users>>,
    file: Option<HtpasswdFile>,
    throttle: Arc<Throttle>,
    queue: Queue,
    /// An untrusted proxy is logged once.
    has_logged_proxy: AtomicBool,
}

impl Authenticator {
    /// Reads the users and their roles. Without a group file each has all of `roles`.
    ///
    /// # Errors
    /// When a file cannot be read, or a line is no bcrypt or argon2 hash or names a role that is not one of `roles`.
    pub fn new(realm: &'static str, access: &Access, roles: &'static [&'static str]) -> anyhow::Result<Self> {
        let (users, file) = match access {
            Access::User { username, password } => (Users::one(username, password, Groups::equal(roles)), None),
            Access::HtpasswdFile { users, groups } => {
                let (file, users) = HtpasswdFile::open(users, groups.as_deref(), roles)?;
                (Users::of(users), Some(file))
            }
        };
        Ok(Self {
            realm,
            proxies: TrustedProxies::default(),
            users: RwLock::new(Arc::new(users)),
            file,
            throttle: Arc::default(),
            queue: Queue::default(),
            has_logged_proxy: AtomicBool::new(false),
        })
    }

    /// Trusts the X-Forwarded-For of these proxies.
    #[must_use]
    pub fn behind(self, proxies: TrustedProxies) -> Self {
        Self { proxies, ..self }
    }

    /// Reloads the files and forgets the logins that the old ones admitted. Returns whether their content changed.
    ///
    /// # Errors
    /// When a file cannot be read or has a malformed line. The users stay, and the same content is not reported
    /// again.
    pub fn renew(&self) -> anyhow::Result<bool> {
        let Some(changed) = self.file.as_ref().map(HtpasswdFile::changed).transpose()?.flatten() else {
            return Ok(false);
        };
        let mut users = self.users.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *users, Arc::new(Users::of(changed)));
        old.outdated.cancel();
        Ok(true)
    }

    /// Reloads the files periodically until shutdown, as [`crate::tls`] does with the certificate.
    pub(crate) async fn keep_renewed(self: Arc<Self>, shutdown: CancellationToken) {
        let Some(file) = self.file.as_ref().map(|file| file.path.display().to_string()) else { return };
        while shutdown.run_until_cancelled(tokio::time::sleep(RELOAD_INTERVAL)).await.is_some() {
            match self.renew() {
                Ok(false) => {}
                Ok(true) => tracing::info!(file, "the users were reloaded"),
                Err(error) => tracing::error!(file, "the users stay as they are: {error:#}"),
            }
        }
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

    /// Checks the credentials of a client at this address.
    async fn admit(&self, client: IpAddr, headers: &HeaderMap) -> Result<Caller, Denied> {
        let Some(Authorization(basic)) = headers.typed_get::<Authorization<Basic>>() else {
            return Err(Denied::Unauthenticated);
        };
        let users = Arc::clone(&self.users.read().unwrap_or_else(PoisonError::into_inner));
        let name = basic.username();
        let caller = Caller { name: name.into(), roles: users.groups.of(name), expired: users.outdated.clone() };
        let attempt = Attempt::new(users, Arc::clone(&self.throttle), client, basic);
        attempt.is_allowed(Instant::now())?;
        let is_right = match attempt.quick_verdict() {
            Verdict::Right => true,
            Verdict::Wrong => {
                attempt.fail(Instant::now());
                false
            }
            Verdict::NeedsHash => attempt.verify(&self.queue).await?,
        };
        if is_right { Ok(caller) } else { Err(Denied::Unauthenticated) }
    }
}

/// A WebSocket may bring its credentials in `connection_init`, as `{"Authorization": "Basic ..."}`: pages cannot set
/// headers.
impl Authenticate for Authenticator {
    fn authenticate<'a>(
        &'a self,
        upgrade: &'a Parts,
        payload: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Caller, Rejected>> {
        let given = payload.and_then(|payload| payload.get("Authorization").or_else(|| payload.get("authorization")));
        let given = given.and_then(Value::as_str).and_then(|given| given.parse().ok());
        let credentials: HeaderMap = given.map(|given| (header::AUTHORIZATION, given)).into_iter().collect();
        let client = self.client(&upgrade.extensions, &upgrade.headers);
        Box::pin(async move {
            self.admit(client, &credentials).await.map_err(|denied| match denied {
                Denied::Unauthenticated => Rejected::Forbidden,
                Denied::Throttled { .. } | Denied::Overloaded => Rejected::TryAgainLater,
            })
        })
    }
}

/// Lets only requests with valid credentials reach `router`, with their [`Caller`]. A WebSocket without credentials
/// passes: [`Authenticate`] checks those of its `connection_init`.
pub fn require(router: Router, authenticator: Arc<Authenticator>) -> Router {
    router.layer(middleware::from_fn_with_state(authenticator, check))
}

async fn check(State(authenticator): State<Arc<Authenticator>>, mut request: Request, next: Next) -> Response {
    let client = authenticator.client(request.extensions(), request.headers());
    if graphql_http::is_websocket(&request) && !request.headers().contains_key(header::AUTHORIZATION) {
        request.extensions_mut().insert(ClientNetwork(client_address::network(client)));
        return next.run(request).await;
    }
    match authenticator.admit(client, request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(denied) => denied.respond(authenticator.realm),
    }
}
