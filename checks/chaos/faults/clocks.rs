//! Wrong clocks: a replica's, and the database's. On SQLite the latter is the clock of the service's processes.

use std::{ops::Range, time::Duration};

use fastrand::Rng;
use tokio::time::{Instant, sleep};

use crate::{
    campaign::seconds,
    clock::FakeClock,
    proxy::Finance,
    replica::Replica,
    stack::Postgres,
    world::{World, WrongClock},
};

/// How long a replica works with its wrong clock.
const WRONG_FOR: Duration = Duration::from_secs(15);
/// Offsets of the database's clock from the true time, in seconds; the order is random.
const JUMPS: [i64; 4] = [-600, 600, 25 * 3600, 365 * 24 * 3600];
const JUMP_SECONDS: Range<u64> = 3..6;
/// Time without finance before the clock is set right: long enough for calls to fail or to be under way.
const WITHOUT_FINANCE: Duration = Duration::from_millis(1_500);
/// Work by the true clock.
const RECOVERY_PAUSE: Duration = Duration::from_secs(3);
/// A time that was read before a jump may be stored this many seconds after it.
const AROUND_A_JUMP: f64 = 2.0;

/// A consultation replica's clock is `ahead` seconds ahead. Replicas finish each other's consultations.
pub(super) async fn replica(world: &World, ahead: i64, random: &mut Rng) -> anyhow::Result<()> {
    let clock = FakeClock::new(world.stack.ground.directory.join("replica.clock"))?;
    clock.set(ahead)?;
    let replica = random.choice(&world.stack.consultation).expect("a replica");
    replace(replica, Some(&clock)).await;
    world.seen.count(&format!("clock of a replica {ahead:+} s"));
    sleep(WRONG_FOR).await;
    replace(replica, None).await;
    world.stack.ready(&world.api).await
}

async fn replace(replica: &Replica, clock: Option<&FakeClock>) {
    replica.set_wrong(clock.map(|clock| clock.variables().collect()).unwrap_or_default());
    replica.end().await;
}

/// The database's clock is set wrong, and right again, several times.
pub(super) async fn database(world: &World, random: &mut Rng) -> anyhow::Result<()> {
    let clock = FakeClock::new(world.stack.ground.directory.join("database.clock"))?;
    restart(world, Some(&clock)).await?;
    let mut jumps = JUMPS;
    random.shuffle(&mut jumps);
    for ahead in jumps {
        jump(world, &clock, ahead, random).await?;
        sleep(RECOVERY_PAUSE).await;
    }
    restart(world, None).await
}

async fn restart(world: &World, clock: Option<&FakeClock>) -> anyhow::Result<()> {
    if let Some(Postgres { cluster, .. }) = &world.stack.postgres {
        cluster.set_clock(clock.cloned());
        cluster.restart();
        return Ok(());
    }
    for replica in world.stack.replicas() {
        replace(replica, clock).await;
    }
    world.stack.ready(&world.api).await
}

/// When the clock is set right, rows still have times of the wrong clock: some the time of their next try, and those of
/// a dead relay the end of their lease.
#[expect(clippy::cast_precision_loss, reason = "a year of seconds")]
async fn jump(world: &World, clock: &FakeClock, ahead: i64, random: &mut Rng) -> anyhow::Result<()> {
    let from = seconds();
    let set_wrong = set(clock, ahead)?;
    world.seen.count(&format!("clock of the database {ahead:+} s, and set right"));
    sleep(Duration::from_secs(random.u64(JUMP_SECONDS))).await;
    let stack = &world.stack;
    stack.set_finance(Finance::Unavailable);
    // A single replica has rows of both kinds.
    let dies = (stack.finance_proxies.len() > 1 || random.bool()).then(|| random.usize(..stack.finance_proxies.len()));
    if let Some(number) = dies {
        stack.finance_proxies[number].set(Finance::BlackHole);
    }
    sleep(WITHOUT_FINANCE).await;
    let set_right = set(clock, 0)?;
    if let Some(number) = dies {
        stack.consultation[number].kill();
        world.seen.count("kill -9 consultation");
    }
    stack.set_finance(Finance::Healthy);
    let time = from - AROUND_A_JUMP..seconds() + AROUND_A_JUMP;
    world.seen.clocks.lock().expect("clocks").extend([
        WrongClock { time, ahead: ahead as f64, set: set_wrong },
        // From here on only work that began before is wrong.
        WrongClock { time: 0.0..0.0, ahead: 0.0, set: set_right },
    ]);
    Ok(())
}

/// Sets the clock. Work may meet either time in the returned range.
fn set(clock: &FakeClock, ahead: i64) -> anyhow::Result<Range<Instant>> {
    let before = Instant::now();
    clock.set(ahead)?;
    Ok(before..Instant::now())
}
