//! PostgreSQL fails: killed, its sessions ended, its disk full.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::{sleep, timeout};

use crate::{stack::Stack, world::World};

const RESTART_PAUSE_SECONDS: std::ops::Range<u64> = 3..7;
const TERMINATION_PAUSE_MILLISECONDS: std::ops::Range<u64> = 100..400;
/// How long the disk stays full: long enough for tables to need room under load.
const FULL_FOR: Duration = Duration::from_secs(8);
/// How long a cluster that met the full disk may take to answer by itself.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// Time to work between two such days.
const PAUSE: Duration = Duration::from_secs(5);

pub(super) async fn restarts(world: &World, times: u64, random: &mut Rng) {
    for _ in 0..times {
        sleep(Duration::from_secs(random.u64(RESTART_PAUSE_SECONDS))).await;
        tokio::task::block_in_place(|| world.stack.ground.pg_ctl(&["-m", "immediate", "-w", "restart"]));
        world.seen.count("PostgreSQL killed and restarted");
    }
}

pub(super) async fn terminations(world: &World, seconds: u64, random: &mut Rng) -> anyhow::Result<()> {
    let phase = async {
        loop {
            sleep(Duration::from_millis(random.u64(TERMINATION_PAUSE_MILLISECONDS))).await;
            let sql = format!(
                "SELECT count(pg_terminate_backend(pid)) AS n FROM (
                    SELECT pid FROM pg_stat_activity WHERE application_name ~ '^(consultation|finance)-'
                    ORDER BY md5(pid::text || '{}') LIMIT 1) AS victim",
                random.u32(..)
            );
            let ended = world.stack.consultation_store.number(&sql).await?;
            world.seen.add("session terminated", ended.cast_unsigned());
        }
    };
    timeout(Duration::from_secs(seconds), phase).await.unwrap_or(Ok(()))
}

pub(super) async fn disk_full(world: &World, times: u64) -> anyhow::Result<()> {
    let ground = &world.stack.ground;
    if !ground.can_be_full {
        world.seen.add("disk full: SKIPPED, only root can have a small disk", 0);
        return Ok(());
    }
    for _ in 0..times {
        let before = ground.refused_for_room()?;
        tokio::task::block_in_place(|| ground.fill())?;
        world.seen.count("disk full");
        sleep(FULL_FOR).await;
        ground.free()?;
        world.seen.add("disk full: statements refused for it", ground.refused_for_room()? - before);
        if !answers(&world.stack).await {
            tokio::task::block_in_place(|| ground.pg_ctl(&["-m", "immediate", "-w", "restart"]));
            world.seen.count("disk full: the cluster had given up");
        }
        sleep(PAUSE).await;
    }
    Ok(())
}

async fn answers(stack: &Stack) -> bool {
    timeout(ANSWERS_WITHIN, stack.finance_store.number("SELECT count(*) AS n FROM payment")).await.is_ok()
}
