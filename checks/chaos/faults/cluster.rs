//! PostgreSQL fails: killed, or its sessions ended.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::{sleep, timeout};

use crate::{stack::Postgres, world::World};

const RESTART_PAUSE_SECONDS: std::ops::Range<u64> = 3..7;
const TERMINATION_PAUSE_MILLISECONDS: std::ops::Range<u64> = 100..400;

pub(super) async fn restarts(world: &World, times: u64, random: &mut Rng) {
    let Some(Postgres { cluster, .. }) = &world.stack.postgres else { return };
    for _ in 0..times {
        sleep(Duration::from_secs(random.u64(RESTART_PAUSE_SECONDS))).await;
        cluster.restart();
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
