//! What faults act on, and what was seen while they did.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{api::Api, client::Load, proxy::Finance, stack::Stack};

pub(crate) struct World {
    pub(crate) stack: Stack,
    pub(crate) api: Api,
    pub(crate) load: Load,
    pub(crate) seen: Seen,
}

/// What only those who were there can tell.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    injected: Mutex<BTreeMap<String, u64>>,
    pub(crate) outages: Mutex<Vec<Outage>>,
    /// Who was asked to end, and why that was wrong, if it was.
    pub(crate) ends: Mutex<Vec<(String, Option<String>)>>,
    pub(crate) conflicts_refused: AtomicUsize,
    pub(crate) conflicts: Mutex<Vec<String>>,
}

/// A time without finance, and the time after.
#[derive(Clone, Debug)]
pub(crate) struct Outage {
    pub(crate) finance: Finance,
    pub(crate) length: Duration,
    /// Rows that were due when it ended.
    pub(crate) due: i64,
    /// Of each relay: calls during all of it, and during its second half.
    pub(crate) calls: Vec<[usize; 2]>,
    /// From finance's return to the first success, if there was one in time.
    pub(crate) recovery: Option<Duration>,
    /// From finance's return until all was delivered that had been due.
    pub(crate) drain: Option<Duration>,
}

impl Seen {
    /// Counts a fault.
    pub(crate) fn count(&self, fault: &str) {
        self.add(fault, 1);
    }

    pub(crate) fn add(&self, fault: &str, times: u64) {
        *self.injected.lock().expect("injected").entry(fault.to_owned()).or_default() += times;
    }

    pub(crate) fn injected(&self) -> BTreeMap<String, u64> {
        self.injected.lock().expect("injected").clone()
    }

    pub(crate) fn conflict(&self, violation: String) {
        self.conflicts.lock().expect("conflicts").push(violation);
    }

    pub(crate) fn refused_conflict(&self) {
        self.conflicts_refused.fetch_add(1, Ordering::Relaxed);
    }
}
