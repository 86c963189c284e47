//! The length of a campaign: a few minutes for CI, a quarter of an hour before a release.

use std::time::Duration;

use clap::ValueEnum;
use fastrand::Rng;

use crate::{
    campaign::Plan,
    faults::{
        Fault, Incident,
        named::{TWO_HOURS, YEAR},
    },
    proxy::{Finance, Lane},
    stack::{Backend, Services},
};

/// A lease, a poll and a call, the backoff after hostile answers that look like refusals, and draining.
const QUIET_TIMEOUT: Duration = Duration::from_secs(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// 2,000 consultations in about 5 minutes
    Ci,
    /// 20,000 consultations and at least 100 kills in about 15 minutes
    Full,
}

impl Profile {
    /// The campaign of a seed. It decides the order of the faults and a few choices.
    pub(crate) fn plan(self, backend: Backend, seed: u64, services: Services) -> Plan {
        let mut random = Rng::with_seed(seed);
        let (consultations, mut faults) = match self {
            Self::Ci => (2_000, ci(backend, &mut random)),
            Self::Full => (20_000, full(backend)),
        };
        random.shuffle(&mut faults);
        faults.insert(0, Fault::Calm(8));
        Plan { backend, seed, consultations, faults, quiet: QUIET_TIMEOUT, services }
    }
}

/// Of PostgreSQL under Patroni.
const INCIDENTS: [Fault; 6] = [
    Fault::Cluster(Incident::LeaderDies),
    Fault::Cluster(Incident::LeaderHangs),
    Fault::Cluster(Incident::LeaderCutOff),
    Fault::Cluster(Incident::DatabaseDies),
    Fault::Cluster(Incident::Switchover),
    Fault::Cluster(Incident::StandbyDies),
];

/// Each kind of fault once; of similar faults one.
fn ci(backend: Backend, random: &mut Rng) -> Vec<Fault> {
    let mut one_of = |faults: &[Fault]| *random.choice(faults).expect("a fault");
    let mut faults = vec![
        Fault::Kills(10),
        Fault::Storm(8),
        Fault::DroppedAnswers(10),
        Fault::Hostile(15),
        Fault::Rolling,
        one_of(&[Finance::Refused, Finance::Unavailable].map(|finance| Fault::Outage(finance, 20))),
    ];
    let lanes = [Lane::Consultation, Lane::Finance];
    let half_open = [false, true].map(|also_new| lanes.map(|lane| Fault::HalfOpen(lane, also_new))).concat();
    match backend {
        Backend::Sqlite => faults.extend([
            Fault::Stopped,
            one_of(&[Finance::BlackHole, Finance::Slow].map(|finance| Fault::Outage(finance, 20))),
            Fault::DiskFull(3),
            Fault::DatabaseClock,
            Fault::WrongFinance,
        ]),
        Backend::Postgres => faults.extend([
            Fault::Stopped,
            Fault::Restarts(3),
            Fault::Terminations(10),
            Fault::Cuts(15),
            Fault::DiskFull(1),
            Fault::DatabaseClock,
            Fault::WrongFinance,
            one_of(&half_open),
            one_of(&[TWO_HOURS, -TWO_HOURS, YEAR].map(Fault::ReplicaClock)),
            one_of(&[Fault::RowLocked, Fault::MigrateBlocked]),
        ]),
        Backend::Failover => faults.extend([
            Fault::Restarts(3),
            Fault::Cuts(15),
            Fault::Failover,
            Fault::Failover,
            Fault::StandbyLost(false),
            Fault::StandbyLost(true),
            Fault::SplitBrain,
            Fault::ToStandby,
            one_of(&half_open),
        ]),
        Backend::PostgresHa => faults = incidents(&faults, 1),
    }
    faults
}

/// Each incident this often. They take long: of the other faults only what the checks want.
fn incidents(others: &[Fault], times: usize) -> Vec<Fault> {
    let others = others.iter().filter(|fault| matches!(fault, Fault::Rolling | Fault::Outage(..))).copied();
    INCIDENTS.repeat(times).into_iter().chain(others).collect()
}

fn full(backend: Backend) -> Vec<Fault> {
    let mut faults = vec![
        Fault::Kills(100),
        Fault::Kills(20),
        Fault::Storm(24),
        Fault::DroppedAnswers(30),
        Fault::Hostile(45),
        Fault::Rolling,
        Fault::Rolling,
        Fault::Stopped,
        Fault::Outage(Finance::Refused, 60),
        Fault::Outage(Finance::BlackHole, 60),
    ];
    if backend != Backend::Failover {
        faults.extend([Finance::Unavailable, Finance::Slow].map(|finance| Fault::Outage(finance, 60)));
        faults.extend([Fault::Stopped, Fault::DiskFull(4), Fault::DatabaseClock, Fault::WrongFinance]);
    }
    if backend.is_postgres() {
        faults.extend([Fault::Restarts(12), Fault::Terminations(30), Fault::Cuts(45)]);
        for lane in [Lane::Consultation, Lane::Finance] {
            faults.extend([false, true].map(|also_new| Fault::HalfOpen(lane, also_new)));
        }
        faults.extend([TWO_HOURS, -TWO_HOURS, YEAR].map(Fault::ReplicaClock));
    }
    match backend {
        Backend::Sqlite => faults.extend([Fault::DiskFull(4), Fault::DatabaseClock]),
        Backend::Postgres => faults.extend([Fault::FewConnections(40), Fault::RowLocked, Fault::MigrateBlocked]),
        Backend::Failover => {
            faults.extend([Fault::Failover; 5]);
            faults.extend([Fault::StandbyLost(false), Fault::StandbyLost(true)].repeat(2));
            faults.extend([Fault::SplitBrain, Fault::ToStandby].repeat(2));
        }
        Backend::PostgresHa => {
            faults = incidents(&faults, 3);
            faults.extend([Fault::Kills(10), Fault::DroppedAnswers(20), Fault::Hostile(20)]);
        }
    }
    faults
}
