//! Stalls: a watcher of each replica works, calls its probes and reads its log all the time. It notices when a service
//! did no work, and whether a probe failed or a line was logged.

mod log;
mod readiness;
mod round;

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{task::JoinSet, time::Instant};

use crate::{replica::Replica, world::World};
use log::Tail;

/// A service that does no work for longer must fail a probe and log why.
pub(crate) const MAX_SILENCE: Duration = Duration::from_secs(10);
/// No call takes longer than `MAX_SILENCE`; the rest is for a busy machine.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_millis(10_500);

/// A time without a success of any replica of a service.
#[derive(Clone, Debug)]
pub(crate) struct Silence {
    service: &'static str,
    time: Range<Instant>,
    /// The longest time in it without a failed probe, and without a complaint: a line of level WARN or ERROR, or the
    /// last word that the service is not ready.
    without: [Duration; 2],
    /// All replicas of the service were stopped by a fault for some of it.
    excused: bool,
}

impl Silence {
    /// Whether no probe failed, or no line was logged, for too long.
    pub(crate) fn is_violation(&self) -> bool {
        !self.excused && self.without.iter().any(|without| *without > MAX_SILENCE)
    }

    /// Its time, in seconds after `began`, and its signs.
    pub(crate) fn describe(&self, began: Instant) -> String {
        let Self { service, time, without, excused } = self;
        let (from, length) = ((time.start - began).as_secs_f64(), (time.end - time.start).as_secs_f64());
        let [probe, line] = without.map(|without| without.as_secs_f64());
        let excuse = if *excused { "; its only replica was stopped" } else { "" };
        format!(
            "{service} from {from:.0} s for {length:.1} s: longest without a failed probe {probe:.1} s, without a \
             complaint {line:.1} s{excuse}"
        )
    }
}

/// Observations of one service.
#[derive(Debug, Default)]
struct Seen {
    successes: Vec<Instant>,
    probes: Vec<Instant>,
    lines: Vec<Instant>,
}

/// A call of a watcher.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) replica: String,
    pub(crate) what: &'static str,
    pub(crate) at: Range<Instant>,
}

#[derive(Debug, Default)]
pub(crate) struct Watch {
    services: Mutex<BTreeMap<&'static str, Seen>>,
    /// The number of calls, and the calls that took longer than `CALL_TIMEOUT`.
    calls: Mutex<(usize, Vec<Call>)>,
    /// Replicas that were stopped: they can neither work nor report it.
    stopped: Mutex<Vec<(String, Range<Instant>)>>,
}

impl Watch {
    /// Watches all replicas until it is stopped.
    pub(crate) async fn run(world: Arc<World>) {
        let api = world.api.with_timeout(CALL_TIMEOUT + Duration::from_millis(1_500)).expect("a client");
        let mut watchers = JoinSet::new();
        for (service, count) in
            [("consultation", world.stack.consultation.len()), ("finance", world.stack.finance.len())]
        {
            world.watch.success(service);
            for number in 0..count {
                let (working, api) = (world.clone(), api.clone());
                watchers.spawn(async move { round::work(&working, &api, service, number).await });
                let world = world.clone();
                watchers.spawn(async move { round::probe(&world, service, number).await });
            }
        }
        if world.stack.patroni.is_some() {
            let (world, api) = (world.clone(), api.clone());
            watchers.spawn(async move {
                let patroni = world.stack.patroni.as_ref().expect("it is there");
                readiness::watch(&world, &api, patroni).await;
            });
        }
        watchers.join_all().await;
    }

    /// Whether a replica of the service did some work since then.
    pub(crate) fn has_worked_since(&self, service: &str, since: Instant) -> bool {
        let services = self.services.lock().expect("services");
        services.get(service).is_some_and(|seen| seen.successes.iter().any(|success| *success > since))
    }

    /// The longest time without a success of the service that overlaps with `time`.
    pub(crate) fn longest_gap(&self, service: &str, time: &Range<Instant>) -> Duration {
        let services = self.services.lock().expect("services");
        let successes = services.get(service).map_or(&[][..], |seen| &seen.successes);
        let ends = successes.iter().skip(1).copied().chain([time.end]);
        let gaps = successes.iter().zip(ends).filter(|(from, to)| **from < time.end && *to > time.start);
        gaps.map(|(from, to)| to - *from).max().unwrap_or_default()
    }

    /// Records that a fault stopped this replica for this time.
    pub(crate) fn stopped(&self, replica: &Replica, time: Range<Instant>) {
        self.stopped.lock().expect("stopped").push((replica.name.clone(), time));
    }

    /// Times without a success that are longer than the limit, until now.
    pub(crate) fn silences(&self, replicas_of_each: usize) -> Vec<Silence> {
        let services = self.services.lock().expect("services");
        services.iter().flat_map(|(service, seen)| self.silences_of(service, seen, replicas_of_each)).collect()
    }

    fn silences_of(&self, service: &'static str, seen: &Seen, replicas: usize) -> Vec<Silence> {
        let ends = seen.successes.iter().skip(1).copied().chain([Instant::now()]);
        let gaps = seen.successes.iter().zip(ends).filter(|(from, to)| *to - **from > MAX_SILENCE);
        gaps.map(|(from, to)| {
            let time = *from..to;
            let excused = replicas == 1 && self.was_stopped(service, &time);
            Silence { service, without: [longest(&seen.probes, &time), longest(&seen.lines, &time)], time, excused }
        })
        .collect()
    }

    fn was_stopped(&self, name: &str, time: &Range<Instant>) -> bool {
        let stopped = self.stopped.lock().expect("stopped");
        stopped.iter().any(|(replica, at)| replica.starts_with(name) && at.start < time.end && time.start < at.end)
    }

    /// The number of calls, and the calls that took too long although their replica ran.
    pub(crate) fn calls(&self) -> (usize, Vec<Call>) {
        let calls = self.calls.lock().expect("calls");
        (calls.0, calls.1.iter().filter(|call| !self.was_stopped(&call.replica, &call.at)).cloned().collect())
    }

    fn success(&self, service: &'static str) {
        self.note(service, |seen| &mut seen.successes);
    }

    fn note(&self, service: &'static str, which: fn(&mut Seen) -> &mut Vec<Instant>) {
        which(self.services.lock().expect("services").entry(service).or_default()).push(Instant::now());
    }

    fn call(&self, call: Call) {
        let mut calls = self.calls.lock().expect("calls");
        calls.0 += 1;
        if call.at.end - call.at.start > CALL_TIMEOUT {
            calls.1.push(call);
        }
    }
}

/// The longest part of `time` without one of `signs`.
fn longest(signs: &[Instant], time: &Range<Instant>) -> Duration {
    let signs = || signs.iter().copied().filter(|at| time.contains(at));
    let froms = [time.start].into_iter().chain(signs());
    let parts = froms.zip(signs().chain([time.end])).map(|(from, to)| to - from);
    parts.max().unwrap_or_default()
}
