//! How many logins may fail: of an address for a name, of an address for all names, and of all addresses for a name.
//!
//! Each has a bucket of tokens, of which a failure takes one. A login waits until all its buckets have a token, also
//! with the right password, which would otherwise tell itself. The first bucket is small. The third is large, since
//! whoever empties it keeps the user out elsewhere: a login that succeeded from the same address before waits for the
//! first alone.

mod buckets;

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use buckets::{Buckets, Rate};

/// A person mistypes a few times. A program with an old password that asks each 5 s is told so each time.
const ADDRESS_AND_NAME: Rate = Rate { burst: 10, every: Duration::from_secs(5) };
/// People of one house share an address.
const ADDRESS: Rate = Rate { burst: 30, every: Duration::from_secs(2) };
/// About 346,000 guesses a day, from however many addresses. It takes fifty addresses to empty it.
const NAME: Rate = Rate { burst: 500, every: Duration::from_millis(250) };

/// Counts failed logins.
#[derive(Debug)]
pub(super) struct Throttle {
    /// Names are long or short, and chosen by anybody: their hash is kept.
    hasher: RandomState,
    failures: Mutex<Failures>,
}

#[derive(Debug)]
struct Failures {
    /// Of an address for a name.
    pairs: Buckets<Origin>,
    addresses: Buckets<IpAddr>,
    names: Buckets<u64>,
}

/// Where a login comes from, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    network: IpAddr,
    name: u64,
}

/// What is remembered of a login's origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The same login succeeded before.
    Known,
    /// One with another password did.
    Another,
    /// None did.
    Stranger,
}

impl Default for Throttle {
    fn default() -> Self {
        let failures = Failures {
            pairs: Buckets::new(ADDRESS_AND_NAME),
            addresses: Buckets::new(ADDRESS),
            names: Buckets::new(NAME),
        };
        Self { hasher: RandomState::new(), failures: Mutex::new(failures) }
    }
}

impl Throttle {
    pub(super) fn origin(&self, network: IpAddr, name: &str) -> Origin {
        Origin { network, name: self.hasher.hash_one(name) }
    }

    /// Refuses a login that has to wait, with how long.
    pub(super) fn check(&self, origin: &Origin, standing: Standing, now: Instant) -> Result<(), Duration> {
        let mut failures = self.failures();
        let own = failures.pairs.wait(origin, now);
        let others = match standing {
            Standing::Known => Duration::ZERO,
            Standing::Another | Standing::Stranger => failures.wait_for_others(origin, now),
        };
        // While strangers wait, the known password would be let in, so that the refusal tells others from it.
        if standing == Standing::Another && own.is_zero() && !others.is_zero() {
            failures.pairs.take(*origin, now);
        }
        let wait = own.max(others);
        if wait.is_zero() { Ok(()) } else { Err(wait) }
    }

    /// Counts a failure. Returns how long the next login has to wait.
    pub(super) fn charge(&self, origin: &Origin, now: Instant) -> Duration {
        let mut failures = self.failures();
        failures.pairs.take(*origin, now);
        failures.addresses.take(origin.network, now);
        failures.names.take(origin.name, now);
        failures.pairs.wait(origin, now).max(failures.wait_for_others(origin, now))
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
