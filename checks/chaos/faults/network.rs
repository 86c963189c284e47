//! The network between the services and PostgreSQL: connections that are half-open, and too few of them.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::sleep;

use crate::{invariants::names::FEW, proxy::Lane, stack::Postgres, world::World};

/// Longer than the limit of a call, and some time after it.
const SILENT_FOR: Duration = Duration::from_secs(22);
/// Time in which new connections reach nobody either.
const UNREACHABLE_SECONDS: std::ops::Range<u64> = 5..9;
/// Connections for two replicas of each service together.
const CONNECTIONS: usize = 12;

/// Open connections fall silent. New connections work, at once or after some seconds.
pub(super) async fn half_open(world: &World, lane: Lane, also_new: bool, random: &mut Rng) {
    let Some(Postgres { proxy, .. }) = &world.stack.postgres else { return };
    proxy.hold_new(lane, also_new);
    proxy.silence(lane);
    let new = if also_new { ", new ones for some seconds too" } else { "" };
    world.seen.count(&format!("half-open connections of {lane:?}{new}"));
    if also_new {
        sleep(Duration::from_secs(random.u64(UNREACHABLE_SECONDS))).await;
        proxy.hold_new(lane, false);
    }
    sleep(SILENT_FOR).await;
    proxy.end_silence(lane);
}

/// The server accepts fewer connections than the replicas open.
pub(super) async fn few_connections(world: &World, seconds: u64) -> anyhow::Result<()> {
    let Some(Postgres { proxy, .. }) = &world.stack.postgres else { return Ok(()) };
    proxy.limit(CONNECTIONS);
    proxy.close_all();
    world.seen.count("12 connections for all replicas");
    sleep(Duration::from_secs(seconds)).await;
    let late = "SELECT count(*) AS n FROM pending_payment
        WHERE NOT finished AND created_at < clock_timestamp() - interval '15 s'";
    let late = world.stack.consultation_store.number(late).await?;
    world.seen.case(FEW, (late > 0).then(|| format!("{late} payments are not confirmed after 15 s")));
    proxy.limit(usize::MAX);
    Ok(())
}
