//! The target of faults, and observations that no database has.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    api::{Answer, Api, Lost, amount},
    campaign::seconds,
    client::Load,
    proxy::Finance,
    stack::Stack,
    watch::Watch,
};

pub(crate) struct World {
    pub(crate) stack: Stack,
    pub(crate) api: Api,
    pub(crate) load: Load,
    pub(crate) watch: Watch,
    pub(crate) seen: Seen,
}

impl World {
    pub(crate) fn new(stack: Stack, consultations: i32) -> anyhow::Result<Self> {
        let api = Api::new()?;
        let ports = stack.consultation.iter().map(|replica| replica.port).collect();
        let load = Load::new(api.clone(), ports, consultations);
        Ok(Self { stack, api, load, watch: Watch::default(), seen: Seen::default() })
    }

    /// Records a payment in cents. A confirmation is kept for the check.
    pub(crate) async fn pay(&self, api: &Api, port: u16, id: Uuid, price: i64) -> Result<Answer, Lost> {
        let answer = api.record(port, &id.to_string(), &amount(price)).await;
        if matches!(answer, Ok(Answer::Done(_))) {
            self.seen.confirmed.lock().expect("confirmed").push(Confirmed { id, price, at: seconds() });
        }
        answer
    }
}

/// A payment that finance confirmed to another caller than the relay.
#[derive(Clone, Debug)]
pub(crate) struct Confirmed {
    pub(crate) id: Uuid,
    /// In cents.
    pub(crate) price: i64,
    /// In seconds since 1970, by this machine's clock.
    pub(crate) at: f64,
}

/// A time in which a database's clock was wrong.
#[derive(Clone, Debug)]
pub(crate) struct WrongClock {
    /// In seconds since 1970, by this machine's clock.
    pub(crate) time: Range<f64>,
    /// How many seconds it was ahead.
    pub(crate) ahead: f64,
    /// Before and after it was set.
    pub(crate) set: Range<Instant>,
}

/// The longest time without a finish around an incident of the database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gap {
    pub(crate) name: &'static str,
    pub(crate) limit: Duration,
    pub(crate) longest: Duration,
}

/// Observations during the campaign.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    injected: Mutex<BTreeMap<String, u64>>,
    pub(crate) outages: Mutex<Vec<Outage>>,
    pub(crate) gaps: Mutex<Vec<Gap>>,
    /// The replicas that were asked to end, each with a fault of its end, if any.
    pub(crate) ends: Mutex<Vec<(String, Option<String>)>>,
    pub(crate) confirmed: Mutex<Vec<Confirmed>>,
    pub(crate) clocks: Mutex<Vec<WrongClock>>,
    /// Checks made by faults: the invariant, and its violation, if any.
    pub(crate) cases: Mutex<Vec<(&'static str, Option<String>)>>,
    pub(crate) conflicts_refused: AtomicUsize,
    pub(crate) conflicts: Mutex<Vec<String>>,
}

/// An outage of finance, and the recovery.
#[derive(Clone, Debug)]
pub(crate) struct Outage {
    pub(crate) finance: Finance,
    pub(crate) length: Duration,
    /// Rows due at its end.
    pub(crate) due: i64,
    /// Calls of each relay: during the outage, and during its second half.
    pub(crate) calls: Vec<[usize; 2]>,
    /// Time from finance's return to the first success; `None` if there was none in time.
    pub(crate) recovery: Option<Duration>,
    /// Time from finance's return until the rows that were due are delivered.
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

    /// Adds a check made by a fault.
    pub(crate) fn case(&self, invariant: &'static str, wrong: Option<String>) {
        self.cases.lock().expect("cases").push((invariant, wrong));
    }

    /// Whether this time, read from a database, comes from a wrong clock.
    pub(crate) fn was_wrong_at(&self, time: f64) -> bool {
        let clocks = self.clocks.lock().expect("clocks");
        clocks.iter().any(|clock| clock.time.contains(&(time - clock.ahead)))
    }

    pub(crate) fn was_any_clock_set(&self) -> bool {
        !self.clocks.lock().expect("clocks").is_empty()
    }

    /// Whether a database's clock was set in this time.
    pub(crate) fn was_set_in(&self, time: Range<Instant>) -> bool {
        self.clocks
            .lock()
            .expect("clocks")
            .iter()
            .any(|clock| clock.set.start <= time.end && time.start <= clock.set.end)
    }

    pub(crate) fn conflict(&self, violation: String) {
        self.conflicts.lock().expect("conflicts").push(violation);
    }

    pub(crate) fn refused_conflict(&self) {
        self.conflicts_refused.fetch_add(1, Ordering::Relaxed);
    }
}
