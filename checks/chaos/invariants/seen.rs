//! Checks of observations: outages, ends of replicas, conflicts, and sessions left in a transaction.

use std::{sync::atomic::Ordering, time::Duration};

use super::{
    Verdict,
    names::{CONFLICT, FAILOVER},
};
use crate::{
    proxy::Finance,
    world::{Gap, Outage, Seen, World},
};

/// Requests in flight, and failures in a row until the circuit breaker opens.
const BEFORE_IT_OPENS: usize = 8 + 5;
/// Seconds between two calls of a relay whose breaker is open.
const PROBE_EVERY: u64 = 5;
/// A probe interval and a call.
const RECOVERS_WITHIN: Duration = Duration::from_secs(6);

pub(super) fn check(seen: &Seen) -> Vec<Verdict> {
    let outages = seen.outages.lock().expect("outages").clone();
    let with_rows = || outages.iter().filter(|outage| outage.due > 0);
    let mut conflicts = Verdict::of(CONFLICT, seen.conflicts.lock().expect("conflicts").iter().cloned().map(Some));
    conflicts.checked += seen.conflicts_refused.load(Ordering::Relaxed);
    let cases = seen.cases.lock().expect("cases").clone();
    let mut names: Vec<_> = cases.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    let of = |name| cases.iter().filter(move |case| case.0 == name).map(|case| case.1.clone());
    let mut verdicts: Vec<_> = names.into_iter().map(|name| Verdict::of(name, of(name))).collect();
    let gaps = seen.gaps.lock().expect("gaps").clone();
    if !gaps.is_empty() {
        verdicts.push(Verdict::of(FAILOVER, gaps.iter().map(too_long)));
    }
    verdicts.extend([
        conflicts,
        Verdict::of(
            "SIGTERM ends a replica with 0 within 10 s",
            seen.ends.lock().expect("ends").iter().map(|(_, wrong)| wrong.clone()),
        ),
        Verdict::of("while finance is away a relay calls at most every 5 s", with_rows().flat_map(rates)),
        Verdict::of("the first success comes within 6 s after finance is back", with_rows().map(recovery)),
        Verdict::of("what was due in an outage is delivered after it", with_rows().map(drain)),
    ]);
    verdicts
}

fn too_long(Gap { name, limit, longest }: &Gap) -> Option<String> {
    (longest > limit).then(|| format!("{name}: no finish for {:.1} s", longest.as_secs_f64()))
}

/// Checks the calls of each relay.
fn rates(outage: &Outage) -> Vec<Option<String>> {
    let at_most = |length: Duration| usize::try_from(length.as_secs().div_ceil(PROBE_EVERY)).unwrap_or(0) + 1;
    // Slow failures may open the breaker in the second half only.
    let fails_fast = matches!(outage.finance, Finance::Refused | Finance::Unavailable);
    let rate = |[all, late]: &[usize; 2]| {
        let too_many =
            *all > BEFORE_IT_OPENS + at_most(outage.length) || fails_fast && *late > at_most(outage.length / 2);
        too_many
            .then(|| format!("{:?} for {:?}: {all} calls, {late} in the second half", outage.finance, outage.length))
    };
    outage.calls.iter().map(rate).collect()
}

fn recovery(outage: &Outage) -> Option<String> {
    let late = outage.recovery.is_none_or(|recovery| recovery > RECOVERS_WITHIN);
    late.then(|| format!("{:?} for {:?}: {:?}", outage.finance, outage.length, outage.recovery))
}

fn drain(outage: &Outage) -> Option<String> {
    outage
        .drain
        .is_none()
        .then(|| format!("{:?} for {:?}: {} rows were due", outage.finance, outage.length, outage.due))
}

/// After the quiet time: no session holds a transaction open.
pub(crate) async fn no_poisoned_pool(world: &World) -> anyhow::Result<Verdict> {
    let name = "no session is left in a transaction";
    if world.stack.consultation_store.is_sqlite() {
        return Ok(Verdict::of(name, []));
    }
    let sessions = "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name ~ '^(consultation|finance)-'";
    let stuck = "state LIKE 'idle in transaction%' AND state_change < clock_timestamp() - interval '10 s'";
    let store = &world.stack.consultation_store;
    let (all, stuck) = (store.number(sessions).await?, store.number(&format!("{sessions} AND {stuck}")).await?);
    let violation = (stuck > 0).then(|| format!("{stuck} sessions idle in a transaction for over 10 s"));
    Ok(Verdict { invariant: name, checked: usize::try_from(all)?, violations: violation.into_iter().collect() })
}
