//! Faults by the names that `--only` takes.

use super::{Fault, Incident};
use crate::proxy::{Finance, Lane};

/// Offsets of wrong clocks in seconds.
pub(crate) const TWO_HOURS: i64 = 2 * 3600;
pub(crate) const YEAR: i64 = 365 * 24 * 3600;

/// The fault that `--only` names, as long as in a campaign for CI.
pub(crate) fn named(name: &str) -> Result<Fault, String> {
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
        ("leader-dies", Fault::Cluster(Incident::LeaderDies)),
        ("leader-hangs", Fault::Cluster(Incident::LeaderHangs)),
        ("leader-cut-off", Fault::Cluster(Incident::LeaderCutOff)),
        ("database-dies", Fault::Cluster(Incident::DatabaseDies)),
        ("switchover", Fault::Cluster(Incident::Switchover)),
        ("standby-dies", Fault::Cluster(Incident::StandbyDies)),
        ("hostile", Fault::Hostile(15)),
        ("finance-refuses", Fault::Outage(Finance::Refused, 20)),
        ("finance-is-silent", Fault::Outage(Finance::BlackHole, 20)),
        ("finance-is-slow", Fault::Outage(Finance::Slow, 20)),
        ("finance-is-unavailable", Fault::Outage(Finance::Unavailable, 20)),
        ("stopped", Fault::Stopped),
        ("disk-full", Fault::DiskFull(1)),
        ("rolling", Fault::Rolling),
    ];
    let names = || faults.map(|(name, _)| name).join(", ");
    let found = faults.iter().find(|(known, _)| *known == name);
    found.map(|(_, fault)| *fault).ok_or_else(|| format!("one of {}", names()))
}
