//! Finance is away for long, while consultations are finished; then it is back.

use std::time::Duration;

use chassis::clock;
use tokio::time::{Instant, sleep};

use crate::{
    proxy::Finance,
    world::{Outage, World},
};

/// So that many rows are due when finance is back.
pub(super) const HURRY: f64 = 2.0;
/// Longer than any promise: a slower recovery is told as it is.
const PATIENCE: Duration = Duration::from_secs(40);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(50);

pub(super) async fn last(world: &World, finance: Finance, length: Duration) -> anyhow::Result<()> {
    world.load.pace.hurry(HURRY);
    let began = Instant::now();
    world.stack.set_finance(finance);
    sleep(length).await;
    world.load.pace.hurry(1.0);
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
    let doors = world.stack.doors.iter().map(|door| door.log.calls());
    doors
        .map(|calls| {
            [began, middle].map(|from| {
                let during = from.into_std()..back.into_std();
                calls.iter().filter(|call| during.contains(&call.at)).count()
            })
        })
        .collect()
}

/// How long after finance's return the first call succeeded that was made after it.
fn recovered(world: &World, back: Instant) -> Option<Duration> {
    let calls = world.stack.doors.iter().flat_map(|door| door.log.calls());
    let answered = calls.filter(|call| call.at >= back.into_std()).filter_map(|call| call.answered);
    answered.min().map(|first| first - back.into_std())
}

async fn until<T>(ask: impl AsyncFn() -> anyhow::Result<Option<T>>) -> anyhow::Result<Option<T>> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(answer) = ask().await? {
            return Ok(Some(answer));
        }
        sleep(ASK_AGAIN_AFTER).await;
    }
    Ok(None)
}
