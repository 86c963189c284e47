//! The calls of one watcher.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{Call, Tail};
use crate::{
    api::{Answer, Api},
    client::Entry,
    replica::Replica,
    world::World,
};

/// Between two pieces of work, and between two reads of probes and log.
const WORK_INTERVAL: Duration = Duration::from_millis(300);

/// Starts and finishes consultations on one replica, or records payments again, until it is stopped.
pub(super) async fn work(world: &World, api: &Api, service: &'static str, number: usize) {
    let mut random = Rng::new();
    loop {
        sleep(WORK_INTERVAL).await;
        let worked = if service == "consultation" {
            consult(world, api, &world.stack.consultation[number], &mut random).await
        } else {
            pay(world, api, &world.stack.finance[number], &mut random).await
        };
        if worked.is_some() {
            world.watch.success(service);
        }
    }
}

async fn consult(world: &World, api: &Api, replica: &Replica, random: &mut Rng) -> Option<()> {
    let [physician, patient] = [(); 2].map(|()| Uuid::from_u128(random.u128(..)).to_string());
    let start = Instant::now();
    let started = timed(world, replica, "start", api.start(replica.port, &physician, &patient)).await;
    let id: Uuid = started.ok()?.parse().ok()?;
    let mut entry = Entry::started(id, start, None);
    let finished = timed(world, replica, "finish", api.finish(replica.port, &id.to_string(), None)).await;
    entry.ended(&finished);
    world.load.record(entry);
    matches!(finished, Ok(Answer::Done(_))).then_some(())
}

/// Only payments that the load releases: a payment that a relay lost must stay missing.
async fn pay(world: &World, api: &Api, replica: &Replica, random: &mut Rng) -> Option<()> {
    // Without a payment there is no work, and no stall.
    let Some((id, price)) = world.load.payable(random) else { return Some(()) };
    let recorded = timed(world, replica, "record", world.pay(api, replica.port, id, price)).await;
    matches!(recorded, Ok(Answer::Done(_))).then_some(())
}

async fn timed<T>(world: &World, replica: &Replica, what: &'static str, call: impl Future<Output = T>) -> T {
    let from = Instant::now();
    let answer = call.await;
    world.watch.call(Call { replica: replica.name.clone(), what, at: from..Instant::now() });
    answer
}

/// Asks the probes of one replica and reads its log, until it is stopped.
pub(super) async fn probe(world: &World, service: &'static str, number: usize) {
    let replicas = if service == "consultation" { &world.stack.consultation } else { &world.stack.finance };
    let replica = &replicas[number];
    let mut log = Tail::of(replica.log.clone());
    loop {
        sleep(WORK_INTERVAL).await;
        if !world.api.is_well(replica.port).await {
            world.watch.note(service, |seen| &mut seen.probes);
        }
        if log.complains() {
            world.watch.note(service, |seen| &mut seen.lines);
        }
    }
}
