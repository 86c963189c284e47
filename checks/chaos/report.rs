//! The report of a campaign: faults, invariants, latencies.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    client::Outcome,
    invariants::{Facts, Verdict},
    refusals::Refusal,
    world::{Gap, Outage},
};

/// Violations printed of each invariant; the counts are complete.
const MAX_SHOWN: usize = 5;

pub(crate) struct Report {
    pub(crate) seed: u64,
    /// Parts of a seeded mistake that the services did not make.
    pub(crate) unmade: Vec<String>,
    pub(crate) injected: BTreeMap<String, u64>,
    pub(crate) outcomes: [usize; 4],
    pub(crate) lost_starts: u32,
    pub(crate) outages: Vec<Outage>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) refusals: BTreeMap<Refusal, u64>,
    /// Stalls of a service.
    pub(crate) silences: Vec<String>,
    pub(crate) verdicts: Vec<Verdict>,
    /// Times from finish to confirmation: in calm, and of all.
    pub(crate) latencies: [Vec<Duration>; 2],
    pub(crate) quiet: Duration,
    pub(crate) length: Duration,
}

/// Finished, cancelled, refused, unknown.
pub(crate) fn outcomes(facts: &Facts) -> [usize; 4] {
    let count = |wanted: fn(&Outcome) -> bool| facts.log.iter().filter(|entry| wanted(&entry.outcome)).count();
    [
        count(|outcome| matches!(outcome, Outcome::Acknowledged(_))),
        count(|outcome| *outcome == Outcome::Cancelled),
        count(|outcome| *outcome == Outcome::Refused),
        count(|outcome| *outcome == Outcome::Unknown),
    ]
}

impl Report {
    pub(crate) fn violated(&self) -> Vec<&'static str> {
        self.verdicts.iter().filter(|verdict| !verdict.violations.is_empty()).map(|verdict| verdict.invariant).collect()
    }

    /// Invariants without a case to check.
    pub(crate) fn unchecked(&self) -> Vec<&'static str> {
        self.verdicts.iter().filter(|verdict| verdict.checked == 0).map(|verdict| verdict.invariant).collect()
    }

    pub(crate) fn print(&self) {
        let [acknowledged, cancelled, refused, unknown] = self.outcomes;
        println!("\nseed {}, {:.0} s", self.seed, self.length.as_secs_f64());
        println!(
            "consultations: {} finishes and cancellations asked for: {acknowledged} finished, {cancelled} cancelled, \
             {refused} refused, {unknown} unknown; {} starts unknown",
            acknowledged + cancelled + refused + unknown,
            self.lost_starts
        );
        println!("faults:");
        self.injected.iter().for_each(|(fault, times)| println!("{times:>8}  {fault}"));
        println!("outages:");
        for outage in &self.outages {
            println!(
                "  {:?} for {:.1} s: {} rows due, calls per relay {:?} (all, second half), recovery {}, drain {}",
                outage.finance,
                outage.length.as_secs_f64(),
                outage.due,
                outage.calls,
                seconds(outage.recovery),
                seconds(outage.drain),
            );
        }
        for Gap { name, limit, longest } in &self.gaps {
            let (longest, limit) = (longest.as_secs_f64(), limit.as_secs());
            println!("  {name}: no finish succeeded for {longest:.1} s (limit {limit} s)");
        }
        println!("calls without a result:");
        self.refusals.iter().for_each(|(refusal, times)| println!("{times:>8}  {refusal}"));
        println!("services that did no work for over 10 s: {}", self.silences.len());
        self.silences.iter().for_each(|silence| println!("  {silence}"));
        println!("invariants (checked, violations):");
        for Verdict { invariant, checked, violations } in &self.verdicts {
            println!("{checked:>8} {:>5}  {invariant}", violations.len());
            violations.iter().take(MAX_SHOWN).for_each(|violation| println!("                VIOLATION {violation}"));
        }
        let [calm, all] = &self.latencies;
        println!("delivery: in calm p50 {}, p99 {}", percentile(calm, 50), percentile(calm, 99));
        println!("          over all p50 {}, p99 {}", percentile(all, 50), percentile(all, 99));
        println!("quiet after {:.1} s", self.quiet.as_secs_f64());
    }
}

pub(crate) fn seconds(duration: Option<Duration>) -> String {
    duration.map_or_else(|| "NONE".to_owned(), |duration| format!("{:.2} s", duration.as_secs_f64()))
}

pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> String {
    sorted.get(sorted.len() * percent / 100).map_or_else(|| "-".to_owned(), |found| format!("{found:.1?}"))
}
