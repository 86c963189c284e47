//! PostgreSQL under Patroni loses machines, processes and network. For each the longest time without a finish is kept.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::{Instant, sleep};

use crate::{
    invariants::names::WHOLE,
    patroni::{Node, Patroni},
    world::{Gap, World},
};

/// Time without a finish until the loss of a machine is noticed (`ttl`, 20 s) and a standby leads.
const MACHINE: Duration = Duration::from_secs(30);
/// The same where a process ends, which its machine notices.
const PROCESS: Duration = Duration::from_secs(10);
const PAUSE_MILLISECONDS: std::ops::Range<u64> = 500..3_000;
/// Work after an incident.
const RECOVERY_PAUSE: Duration = Duration::from_secs(2);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Longer than any limit, so that the time is measured, not cut off.
const WORK_WITHIN: Duration = Duration::from_secs(90);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Incident {
    /// Power is lost.
    LeaderDies,
    /// Its processes stop, and wake up when another leads.
    LeaderHangs,
    /// Its network carries nothing for a while.
    LeaderCutOff,
    /// The leader's PostgreSQL is killed; its Patroni runs on.
    DatabaseDies,
    /// An operator hands the lead over.
    Switchover,
    /// The standby for which commits wait loses power.
    StandbyDies,
}

impl Incident {
    /// Its approximate length in seconds.
    pub(super) fn work(self) -> f64 {
        match self {
            Self::LeaderDies | Self::LeaderHangs | Self::LeaderCutOff => 40.0,
            Self::DatabaseDies | Self::Switchover | Self::StandbyDies => 18.0,
        }
    }

    pub(super) async fn inject(self, world: &World, random: &mut Rng) -> anyhow::Result<()> {
        let Some(patroni) = &world.stack.patroni else { return Ok(()) };
        sleep(Duration::from_millis(random.u64(PAUSE_MILLISECONDS))).await;
        match self {
            Self::LeaderDies => leader_dies(world, patroni).await,
            Self::LeaderHangs => leader_hangs(world, patroni).await,
            Self::LeaderCutOff => leader_cut_off(world, patroni).await,
            Self::DatabaseDies => database_dies(world, patroni).await,
            Self::Switchover => switchover(world, patroni).await,
            Self::StandbyDies => standby_dies(world, patroni).await,
        }
    }
}

async fn leader_dies(world: &World, patroni: &Patroni) -> anyhow::Result<()> {
    let leader = patroni.leader().await?;
    measured(world, "the leader's machine dies", MACHINE, async {
        leader.die();
        replaced(world, patroni, leader).await
    })
    .await;
    measured(world, "it comes back", PROCESS, async {
        leader.boot(&world.stack.ground)?;
        patroni.whole().await
    })
    .await;
    Ok(())
}

async fn leader_hangs(world: &World, patroni: &Patroni) -> anyhow::Result<()> {
    let leader = patroni.leader().await?;
    measured(world, "the leader's machine hangs", MACHINE, async {
        leader.hang();
        replaced(world, patroni, leader).await
    })
    .await;
    measured(world, "it wakes and believes it is the leader", PROCESS, async {
        leader.wake();
        patroni.whole().await
    })
    .await;
    Ok(())
}

async fn leader_cut_off(world: &World, patroni: &Patroni) -> anyhow::Result<()> {
    let leader = patroni.leader().await?;
    measured(world, "the leader is cut off", MACHINE, async {
        leader.cut_off(true);
        replaced(world, patroni, leader).await
    })
    .await;
    measured(world, "its network is back", PROCESS, async {
        leader.cut_off(false);
        patroni.whole().await
    })
    .await;
    Ok(())
}

async fn database_dies(world: &World, patroni: &Patroni) -> anyhow::Result<()> {
    let leader = patroni.leader().await?;
    measured(world, "the leader's database process dies", PROCESS, async {
        leader.kill_database();
        replaced(world, patroni, leader).await?;
        patroni.whole().await
    })
    .await;
    Ok(())
}

async fn switchover(world: &World, patroni: &Patroni) -> anyhow::Result<()> {
    let leader = patroni.leader().await?;
    measured(world, "planned switchover", PROCESS, async {
        patroni.switch_over().await?;
        replaced(world, patroni, leader).await?;
        patroni.whole().await
    })
    .await;
    Ok(())
}

async fn standby_dies(world: &World, patroni: &Patroni) -> anyhow::Result<()> {
    let standby = patroni.synchronous_standby(None).await?;
    measured(world, "the synchronous standby dies", PROCESS, async {
        standby.die();
        patroni.synchronous_standby(Some(standby)).await?;
        works(world).await
    })
    .await;
    measured(world, "the standby comes back", PROCESS, async {
        standby.boot(&world.stack.ground)?;
        patroni.whole().await
    })
    .await;
    Ok(())
}

/// Waits until another leads and a finish succeeds.
async fn replaced(world: &World, patroni: &Patroni, leader: &Node) -> anyhow::Result<()> {
    patroni.leader_other_than(leader).await?;
    works(world).await
}

/// Waits for a finish that succeeds from now on.
async fn works(world: &World) -> anyhow::Result<()> {
    let began = Instant::now();
    while !world.watch.has_worked_since("consultation", began) && began.elapsed() < WORK_WITHIN {
        sleep(POLL_INTERVAL).await;
    }
    Ok(())
}

/// Keeps the longest time without a finish during `incident` and a moment of work after it.
async fn measured(
    world: &World,
    name: &'static str,
    limit: Duration,
    incident: impl Future<Output = anyhow::Result<()>>,
) {
    let began = Instant::now();
    world.seen.count(name);
    // The campaign goes on, so that it also sees what was lost.
    let wrong = incident.await.err().map(|error| format!("{name}: {error}"));
    world.seen.case(WHOLE, wrong);
    sleep(RECOVERY_PAUSE).await;
    let longest = world.watch.longest_gap("consultation", &(began..Instant::now()));
    world.seen.gaps.lock().expect("gaps").push(Gap { name, limit, longest });
}
