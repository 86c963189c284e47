//! Throttle for failed logins: per address and name, per address, and per name; and for forged tokens, per address.
//!
//! Each has a token bucket, and a failure takes one token. A login waits until all its buckets have a token, even with
//! the right password: an exception would reveal it. The first bucket is small. The third is large, since an empty one
//! locks the user out everywhere else: a login that succeeded from the same address before waits for the first bucket
//! alone.

mod buckets;

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use buckets::{Buckets, Rate};

/// A person mistypes a few times. A program with an old password that retries every 5 s always gets a verdict.
const ADDRESS_AND_NAME: Rate = Rate { burst: 10, every: Duration::from_secs(5) };
/// People in one building share an address.
const ADDRESS: Rate = Rate { burst: 30, every: Duration::from_secs(2) };
/// Signatures cannot be guessed: the limit saves the time to check them. Its size lets an application that goes on
/// with tokens of another issuer lock nobody out.
const FORGED_TOKENS: Rate = Rate { burst: 100, every: Duration::from_millis(100) };
/// Lines of the audit log about logins that were not checked: a flood would fill a disk.
const REFUSALS_TOLD: Rate = Rate { burst: 1, every: Duration::from_secs(10) };
/// About 346,000 guesses a day from any number of addresses. Fifty addresses are needed to empty it.
const NAME: Rate = Rate { burst: 500, every: Duration::from_millis(250) };

/// Counts failed logins.
#[derive(Debug)]
pub(super) struct Throttle {
    /// Names have any length, and anyone chooses them: their hash is stored.
    hasher: RandomState,
    failures: Mutex<Failures>,
}

#[derive(Debug)]
struct Failures {
    /// By address and name.
    pairs: Buckets<Origin>,
    addresses: Buckets<IpAddr>,
    names: Buckets<u64>,
    forged_tokens: Buckets<IpAddr>,
    refusals_told: Buckets<IpAddr>,
}

/// Network and name of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    network: IpAddr,
    name: u64,
}

/// Earlier logins of the same origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The same credentials succeeded.
    Known,
    /// Another password succeeded.
    Another,
    /// None succeeded.
    Stranger,
}

impl Default for Throttle {
    fn default() -> Self {
        let failures = Failures {
            pairs: Buckets::new(ADDRESS_AND_NAME),
            addresses: Buckets::new(ADDRESS),
            names: Buckets::new(NAME),
            forged_tokens: Buckets::new(FORGED_TOKENS),
            refusals_told: Buckets::new(REFUSALS_TOLD),
        };
        Self { hasher: RandomState::new(), failures: Mutex::new(failures) }
    }
}

impl Throttle {
    pub(super) fn origin(&self, network: IpAddr, name: &str) -> Origin {
        Origin { network, name: self.hasher.hash_one(name) }
    }

    /// Refuses a login that has to wait, with its waiting time.
    pub(super) fn check(&self, origin: &Origin, standing: Standing, now: Instant) -> Result<(), Duration> {
        let mut failures = self.failures();
        let own = failures.pairs.wait(origin, now);
        let others = match standing {
            Standing::Known => Duration::ZERO,
            Standing::Another | Standing::Stranger => failures.wait_for_others(origin, now),
        };
        // While strangers wait, only the known password passes. A refusal thus reveals a wrong one, and costs a token.
        if standing == Standing::Another && own.is_zero() && !others.is_zero() {
            failures.pairs.take(*origin, now);
        }
        let wait = own.max(others);
        if wait.is_zero() { Ok(()) } else { Err(wait) }
    }

    /// Records a failure. Returns the waiting time of the next login.
    pub(super) fn record_failure(&self, origin: &Origin, now: Instant) -> Duration {
        let mut failures = self.failures();
        failures.pairs.take(*origin, now);
        failures.addresses.take(origin.network, now);
        failures.names.take(origin.name, now);
        failures.pairs.wait(origin, now).max(failures.wait_for_others(origin, now))
    }

    /// Refuses a token that has to wait, with its waiting time.
    pub(super) fn check_token(&self, network: IpAddr, now: Instant) -> Result<(), Duration> {
        let wait = self.failures().forged_tokens.wait(&network, now);
        if wait.is_zero() { Ok(()) } else { Err(wait) }
    }

    /// Records a token that the issuer has not signed.
    pub(super) fn record_forged_token(&self, network: IpAddr, now: Instant) {
        self.failures().forged_tokens.take(network, now);
    }

    /// Whether the audit log is told that a login of this network was not checked.
    pub(super) fn tells_refusal(&self, network: IpAddr, now: Instant) -> bool {
        let mut failures = self.failures();
        let is_due = failures.refusals_told.wait(&network, now).is_zero();
        if is_due {
            failures.refusals_told.take(network, now);
        }
        is_due
    }

    fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failures {
    fn wait_for_others(&self, origin: &Origin, now: Instant) -> Duration {
        self.addresses.wait(&origin.network, now).max(self.names.wait(&origin.name, now))
    }
}
