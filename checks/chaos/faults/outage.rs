//! An outage of finance while consultations are finished, and the recovery after it.

use std::time::Duration;

use chassis::clock;
use tokio::time::{Instant, sleep};

use crate::{
    proxy::Finance,
    world::{Outage, World},
};

/// The load grows by this factor, so that many rows are due after the outage.
pub(super) const LOAD_FACTOR: f64 = 2.0;
/// Longer than any promise, so that a slow recovery is measured, not cut off.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(40);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

pub(super) async fn last(world: &World, finance: Finance, length: Duration) -> anyhow::Result<()> {
    world.load.pace.multiply(LOAD_FACTOR);
    let began = Instant::now();
    world.stack.set_finance(finance);
    sleep(length).await;
    world.load.pace.multiply(1.0);
    let due_before = format!("NOT finished AND created_at < '{}'", clock::now().format("%Y-%m-%dT%H:%M:%S%.3f+00:00"));
    let due = format!("SELECT count(*) AS n FROM pending_payment WHERE {due_before}");
    world.stack.set_finance(Finance::Healthy);
    let back = Instant::now();
    world.seen.count(&format!("finance away: {finance:?}"));

    let calls = calls(world, began, back);
    let due_then = world.stack.consultation_store.number(&due).await?;
    let recovery = until(async || Ok(recovered(world, back))).await?;
    let drained = until(async || {
        let left = world.stack.consultation_store.number(&due).await?;
        Ok((left == 0).then(|| back.elapsed()))
    });
    let drain = drained.await?;
    let outage = Outage { finance, length: back - began, due: due_then, calls, recovery, drain };
    world.seen.outages.lock().expect("outages").push(outage);
    Ok(())
}

fn calls(world: &World, began: Instant, back: Instant) -> Vec<[usize; 2]> {
    let middle = began + (back - began) / 2;
    let finance_proxies = world.stack.finance_proxies.iter().map(|finance_proxy| finance_proxy.log.calls());
    finance_proxies
        .map(|calls| {
            [began, middle].map(|from| {
                let during = from.into_std()..back.into_std();
                calls.iter().filter(|call| during.contains(&call.at)).count()
            })
        })
        .collect()
}

/// Time from finance's return to the first success of a call made after it.
fn recovered(world: &World, back: Instant) -> Option<Duration> {
    let calls = world.stack.finance_proxies.iter().flat_map(|finance_proxy| finance_proxy.log.calls());
    let answered = calls.filter(|call| call.at >= back.into_std()).filter_map(|call| call.answered);
    answered.min().map(|first| first - back.into_std())
}

async fn until<T>(ask: impl AsyncFn() -> anyhow::Result<Option<T>>) -> anyhow::Result<Option<T>> {
    let deadline = Instant::now() + RECOVERY_TIMEOUT;
    while Instant::now() < deadline {
        if let Some(answer) = ask().await? {
            return Ok(Some(answer));
        }
        sleep(POLL_INTERVAL).await;
    }
    Ok(None)
}
