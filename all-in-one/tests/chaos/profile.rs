//! How long a campaign is: a few minutes for CI, or as long as it takes to trust a release.

use std::time::Duration;

use clap::ValueEnum;
use fastrand::Rng;

use crate::{
    campaign::Plan,
    faults::Fault,
    proxy::{Finance, Lane},
    stack::{Backend, Services},
};

/// A lease, a poll and a call, and the refusals that hostile answers look like; draining on top.
const QUIET: Duration = Duration::from_secs(100);

/// In seconds, as clocks are wrong.
const TWO_HOURS: i64 = 2 * 3600;
const YEAR: i64 = 365 * 24 * 3600;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// 2,000 consultations in about 5 minutes
    Ci,
    /// 20,000 consultations and at least 100 kills in about 15 minutes
    Full,
}

impl Profile {
    /// The campaign of a seed: what is done is fixed, in which order is not.
    pub(crate) fn plan(self, backend: Backend, seed: u64, services: Services) -> Plan {
        let consultations = match self {
            Self::Ci => 2_000,
            Self::Full => 20_000,
        };
        let mut faults = self.faults(backend);
        Rng::with_seed(seed).shuffle(&mut faults);
        faults.insert(0, Fault::Calm(8));
        Plan { backend, seed, consultations, faults, quiet: QUIET, services }
    }

    fn faults(self, backend: Backend) -> Vec<Fault> {
        let [short, long] = match self {
            Self::Ci => [1, 1],
            Self::Full => [4, 3],
        };
        let kills = match self {
            Self::Ci => 10,
            Self::Full => 120,
        };
        let outages = [Finance::Refused, Finance::Unavailable, Finance::BlackHole, Finance::Slow];
        let mut faults = vec![
            Fault::Kills(kills),
            Fault::Storm(8 * long),
            Fault::DroppedAnswers(10 * long),
            Fault::Hostile(15 * long),
            Fault::Stopped,
            Fault::Rolling,
            Fault::DiskFull(short),
        ];
        faults.extend(outages.map(|finance| Fault::Outage(finance, 20 * long)));
        if backend.is_postgres() {
            faults.extend([Fault::Restarts(3 * short), Fault::Terminations(10 * long), Fault::Cuts(15 * long)]);
        }
        if self == Self::Full {
            faults.extend([Fault::Stopped, Fault::Rolling, Fault::Kills(20)]);
        }
        faults
    }
}

/// The fault that `--only` names, as long as in a campaign for CI.
pub(crate) fn fault(name: &str) -> Result<Fault, String> {
    let faults = [
        ("calm", Fault::Calm(8)),
        ("kills", Fault::Kills(10)),
        ("storm", Fault::Storm(8)),
        ("restarts", Fault::Restarts(3)),
        ("terminations", Fault::Terminations(10)),
        ("cuts", Fault::Cuts(15)),
        ("dropped-answers", Fault::DroppedAnswers(10)),
        ("half-open-consultation", Fault::HalfOpen(Lane::Consultation, false)),
        ("half-open-finance", Fault::HalfOpen(Lane::Finance, false)),
        ("unreachable-consultation", Fault::HalfOpen(Lane::Consultation, true)),
        ("unreachable-finance", Fault::HalfOpen(Lane::Finance, true)),
        ("few-connections", Fault::FewConnections(40)),
        ("row-locked", Fault::RowLocked),
        ("migrate-blocked", Fault::MigrateBlocked),
        ("wrong-finance", Fault::WrongFinance),
        ("replica-clock", Fault::ReplicaClock(TWO_HOURS)),
        ("replica-clock-behind", Fault::ReplicaClock(-TWO_HOURS)),
        ("replica-clock-year", Fault::ReplicaClock(YEAR)),
        ("database-clock", Fault::DatabaseClock),
        ("failover", Fault::Failover),
        ("standby-lost", Fault::StandbyLost(false)),
        ("standby-lost-busy", Fault::StandbyLost(true)),
        ("split-brain", Fault::SplitBrain),
        ("to-standby", Fault::ToStandby),
        ("hostile", Fault::Hostile(15)),
        ("refused", Fault::Outage(Finance::Refused, 20)),
        ("stopped", Fault::Stopped),
        ("disk-full", Fault::DiskFull(1)),
        ("rolling", Fault::Rolling),
    ];
    let names = || faults.map(|(name, _)| name).join(", ");
    let found = faults.iter().find(|(known, _)| *known == name);
    found.map(|(_, fault)| *fault).ok_or_else(|| format!("one of {}", names()))
}
