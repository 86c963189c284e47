//! The users with their roles, and their successful logins. A cached login needs no second slow hash and does not wait
//! for the failures of others.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
};

use headers::authorization::Basic;
use lru::LruCache;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;

use super::{
    fingerprint::{Fingerprint, FingerprintKey},
    groups::Groups,
    htpasswd::Htpasswd,
    throttle::{Origin, Standing},
};

/// Cached logins, about 100 bytes each. Users beyond it are only verified again.
const MAX_REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).expect("not zero");

/// The loaded users and the logins that they admitted: both are replaced together.
#[derive(Debug)]
pub(super) struct Users {
    known: Known,
    /// The roles of each.
    pub(super) groups: Groups,
    key: FingerprintKey,
    /// The latest successful login of each origin.
    remembered: Mutex<LruCache<Origin, Fingerprint>>,
    /// Cancelled when other users replace these.
    pub(super) outdated: CancellationToken,
}

#[derive(Debug)]
enum Known {
    One(Fingerprint),
    File(Htpasswd),
}

/// Credentials with their origin. A cache for all addresses would allow guesses of right credentials at any speed, past
/// the throttle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Login {
    pub(super) origin: Origin,
    credentials: Fingerprint,
}

/// Verdict without a slow hash.
pub(super) enum Verdict {
    Right {
        /// The login was not remembered.
        is_new: bool,
    },
    Wrong,
    NeedsHash,
}

impl Users {
    pub(super) fn one(username: &str, password: &SecretString, groups: Groups) -> Self {
        let key = FingerprintKey::default();
        let expected = key.fingerprint(&[username, password.expose_secret()]);
        Self::with(key, Known::One(expected), groups)
    }

    pub(super) fn of((htpasswd, groups): (Htpasswd, Groups)) -> Self {
        Self::with(FingerprintKey::default(), Known::File(htpasswd), groups)
    }

    fn with(key: FingerprintKey, known: Known, groups: Groups) -> Self {
        let remembered = Mutex::new(LruCache::new(MAX_REMEMBERED));
        Self { known, groups, key, remembered, outdated: CancellationToken::new() }
    }

    pub(super) fn login(&self, origin: Origin, basic: &Basic) -> Login {
        Login { origin, credentials: self.key.fingerprint(&[basic.username(), basic.password()]) }
    }

    pub(super) fn standing(&self, login: &Login) -> Standing {
        match self.remembered().get(&login.origin) {
            Some(known) if known.ct_eq(&login.credentials).into() => Standing::Known,
            Some(_) => Standing::Another,
            None => Standing::Stranger,
        }
    }

    pub(super) fn quick_verdict(&self, login: &Login) -> Verdict {
        match &self.known {
            Known::One(expected) if expected.ct_eq(&login.credentials).into() => {
                Verdict::Right { is_new: self.remember(login) }
            }
            Known::One(_) => Verdict::Wrong,
            Known::File(_) if self.standing(login) == Standing::Known => Verdict::Right { is_new: false },
            Known::File(_) => Verdict::NeedsHash,
        }
    }

    /// Whether the credentials are a user's. Slow by design.
    pub(super) fn verify(&self, login: &Login, basic: &Basic) -> bool {
        let Known::File(htpasswd) = &self.known else { return false };
        let is_right = htpasswd.verify(basic.username(), basic.password());
        if is_right {
            self.remember(login);
        }
        is_right
    }

    /// Returns whether the login was not remembered before.
    fn remember(&self, login: &Login) -> bool {
        self.remembered().put(login.origin, login.credentials) != Some(login.credentials)
    }

    fn remembered(&self) -> MutexGuard<'_, LruCache<Origin, Fingerprint>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
