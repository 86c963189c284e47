//! HTTP Basic: who may call, checked before anything else is done for a request.

mod htpasswd;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use headers::{Authorization, HeaderMapExt, authorization::Basic};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::{config::Access, messages::MESSAGES};
use htpasswd::Htpasswd;

/// Credentials that are remembered after a slow hash confirmed them. More users than this work too,
/// they are only verified again.
const MAX_REMEMBERED: usize = 1024;
/// Slow hashes computed at once, so that wrong passwords cannot take every core.
const MAX_VERIFYING: usize = 1;

type Fingerprint = [u8; 32];

/// Checks credentials.
#[derive(Debug)]
pub struct Authenticator {
    realm: &'static str,
    users: Users,
    /// Makes fingerprints useless outside this process.
    key: [Uuid; 2],
    remembered: Mutex<HashSet<Fingerprint>>,
    verifying: Semaphore,
}

#[derive(Debug)]
enum Users {
    One(Fingerprint),
    File(Arc<Htpasswd>),
}

impl Authenticator {
    /// Reads the users.
    ///
    /// # Errors
    /// When the htpasswd file cannot be read or has a line that is no bcrypt or argon2 hash.
    pub fn new(realm: &'static str, access: &Access) -> anyhow::Result<Self> {
        let key = [Uuid::new_v4(), Uuid::new_v4()];
        let users = match access {
            Access::User { username, password } => Users::One(fingerprint(&key, username, password.expose_secret())),
            Access::HtpasswdFile(file) => Users::File(Arc::new(Htpasswd::read(file)?)),
        };
        Ok(Self { realm, users, key, remembered: Mutex::default(), verifying: Semaphore::new(MAX_VERIFYING) })
    }

    /// Whether the request carries the credentials of a user.
    pub async fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(Authorization(basic)) = headers.typed_get::<Authorization<Basic>>() else { return false };
        let given = fingerprint(&self.key, basic.username(), basic.password());
        match &self.users {
            Users::One(expected) => expected.ct_eq(&given).into(),
            Users::File(htpasswd) => self.remembers(&given) || self.verify(htpasswd, &basic, given).await,
        }
    }

    async fn verify(&self, htpasswd: &Arc<Htpasswd>, basic: &Basic, given: Fingerprint) -> bool {
        let Ok(_permit) = self.verifying.acquire().await else { return false };
        // Whoever waited with the same credentials need not compute the hash again.
        if self.remembers(&given) {
            return true;
        }
        let (htpasswd, basic) = (Arc::clone(htpasswd), basic.clone());
        let verified = tokio::task::spawn_blocking(move || htpasswd.verify(basic.username(), basic.password()));
        let verified = verified.await.unwrap_or(false);
        if verified {
            let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
            if remembered.len() >= MAX_REMEMBERED {
                remembered.clear();
            }
            remembered.insert(given);
        }
        verified
    }

    fn remembers(&self, given: &Fingerprint) -> bool {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).contains(given)
    }
}

/// Lets only requests with good credentials reach `router`.
pub fn require(router: Router, authenticator: Arc<Authenticator>) -> Router {
    router.layer(middleware::from_fn_with_state(authenticator, check))
}

async fn check(State(authenticator): State<Arc<Authenticator>>, request: Request, next: Next) -> Response {
    if authenticator.admits(request.headers()).await {
        return next.run(request).await;
    }
    challenge(&authenticator)
}

/// Asks for credentials.
pub(crate) fn challenge(authenticator: &Authenticator) -> Response {
    let challenge = format!("Basic realm=\"{}\", charset=\"UTF-8\"", authenticator.realm);
    let message = MESSAGES.text("credentials-required", &[]);
    let body = serde_json::json!({ "errors": [{ "message": message, "extensions": { "code": "UNAUTHENTICATED" } }] });
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)], Json(body)).into_response()
}

fn fingerprint(key: &[Uuid; 2], username: &str, password: &str) -> Fingerprint {
    let mut hash = Sha256::new();
    for part in key {
        hash.update(part.as_bytes());
    }
    // The length keeps "ab" + "c" apart from "a" + "bc".
    hash.update(username.len().to_le_bytes());
    hash.update(username);
    hash.update(password);
    hash.finalize().into()
}
