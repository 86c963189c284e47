//! A full disk: for seconds under PostgreSQL, repeatedly for a moment under SQLite.

use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use tokio::{
    task::block_in_place,
    time::{sleep, timeout},
};

use crate::{
    cluster::Cluster,
    stack::{Postgres, Stack},
    world::World,
};

/// Long enough for PostgreSQL's tables to need room under load.
const FULL_FOR: Duration = Duration::from_secs(8);
/// A server that met the full disk answers again within this time, without help.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// Work between two full disks.
const RECOVERY_PAUSE: Duration = Duration::from_secs(5);
/// Under SQLite: short enough that some writes of a moment fail and others do not.
const MOMENTS: u64 = 5;
const MOMENT_MILLISECONDS: std::ops::Range<u64> = 200..400;
const PAUSE_MILLISECONDS: std::ops::Range<u64> = 1_000..2_500;
/// Finishes in each moment, one after the other; each is a transaction.
const FINISHES: u32 = 6;
const BETWEEN_FINISHES: Duration = Duration::from_millis(40);

pub(super) async fn full(world: &World, times: u64, random: &mut Rng) -> anyhow::Result<()> {
    if !world.stack.ground.can_be_full {
        world.seen.add("disk full: SKIPPED, only root can have a small disk", 0);
        return Ok(());
    }
    for _ in 0..times {
        match &world.stack.postgres {
            Some(Postgres { cluster, .. }) => postgres(world, cluster).await?,
            None => sqlite(world, random).await?,
        }
        sleep(RECOVERY_PAUSE).await;
    }
    Ok(())
}

async fn postgres(world: &World, cluster: &Cluster) -> anyhow::Result<()> {
    let before = cluster.refused_for_room()?;
    full_for(world, FULL_FOR).await?;
    world.seen.add("disk full: statements refused for it", cluster.refused_for_room()? - before);
    if !answers(&world.stack).await {
        cluster.restart();
        world.seen.count("disk full: the server had given up");
    }
    Ok(())
}

async fn answers(stack: &Stack) -> bool {
    timeout(ANSWERS_WITHIN, stack.finance_store.number("SELECT count(*) AS n FROM payment")).await.is_ok()
}

async fn sqlite(world: &World, random: &mut Rng) -> anyhow::Result<()> {
    for _ in 0..MOMENTS {
        sleep(Duration::from_millis(random.u64(PAUSE_MILLISECONDS))).await;
        let mut started = Vec::new();
        for _ in 0..FINISHES {
            started.extend(world.load.start(random).await);
        }
        // A read transaction: the write-ahead log cannot be restarted in its own space.
        let pinned = world.stack.consultation_store.pin().await?;
        let finishes = (0..).zip(started).map(|(number, id)| {
            let mut random = random.fork();
            async move {
                sleep(BETWEEN_FINISHES * number).await;
                world.load.finish(id, &mut random).await;
            }
        });
        let finishes: Vec<_> = finishes.collect();
        let moment = Duration::from_millis(random.u64(MOMENT_MILLISECONDS));
        let unpin = async {
            let full = full_for(world, moment).await;
            drop(pinned);
            full
        };
        tokio::join!(unpin, join_all(finishes)).0?;
    }
    Ok(())
}

async fn full_for(world: &World, time: Duration) -> anyhow::Result<()> {
    let ground = &world.stack.ground;
    block_in_place(|| ground.fill())?;
    world.seen.count("disk full");
    sleep(time).await;
    ground.free()
}
