//! The end of a campaign: clients end, every replica must work, and everything must be delivered.

use std::time::Duration;

use chassis::clock;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

use crate::{invariants::Verdict, world::World};

/// Consultations per second after the faults: as fast as possible.
const LAST_PACE: f64 = 400.0;
/// Time for the longest chain of a client's attempts.
const CLIENTS_TIMEOUT: Duration = Duration::from_secs(90);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Waits until the clients have ended. Then every replica must be ready and answer a write.
pub(crate) async fn clients_end(world: &World, mut clients: JoinSet<()>) -> Verdict {
    // A service with a mistake may hang for ever: that is a finding, and no reason to end the campaign.
    let unready = world.stack.ready(&world.api).await.err();
    world.load.pace.set(LAST_PACE);
    let _ = timeout(CLIENTS_TIMEOUT, async { while clients.join_next().await.is_some() {} }).await;
    clients.shutdown().await;
    let mut cases = vec![unready.map(|error| error.to_string())];
    for replica in &world.stack.consultation {
        let [physician, patient] = [(); 2].map(|()| Uuid::new_v4().to_string());
        let Ok(id) = world.api.start(replica.port, &physician, &patient).await else {
            cases.push(Some(format!("{} does not start a consultation", replica.name)));
            continue;
        };
        let end = (clock::now() + Duration::from_mins(1)).to_rfc3339();
        let finished = world.api.finish(replica.port, &id, Some(&end)).await;
        cases.push(finished.err().map(|_| format!("{} does not finish a consultation", replica.name)));
        for finance in &world.stack.finance {
            // The price of a duration up to an hour.
            let recorded = world.api.record(finance.port, &id, "200.00").await;
            cases.push(recorded.err().map(|_| format!("{} does not record a payment", finance.name)));
        }
    }
    Verdict::of("when the faults are over every replica is ready and writes", cases)
}

/// Restarts every replica: the state of the processes is gone, the databases stay.
pub(crate) async fn restart(world: &World) -> anyhow::Result<Verdict> {
    let mut cases = Vec::new();
    for replica in world.stack.replicas() {
        cases.push(match replica.end().await {
            Some(0) => None,
            code => Some(format!("{} ended with {code:?}", replica.name)),
        });
    }
    world.stack.ready(&world.api).await?;
    Ok(Verdict::of("when all is delivered SIGTERM ends every replica with 0, and it comes back", cases))
}

/// Waits until everything is delivered, but no longer than `limit`.
pub(crate) async fn quiet(world: &World, limit: Duration) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let left = "SELECT count(*) AS n FROM pending_payment WHERE NOT finished";
    while world.stack.consultation_store.number(left).await? > 0 && began.elapsed() < limit {
        sleep(POLL_INTERVAL).await;
    }
    Ok(began.elapsed())
}
