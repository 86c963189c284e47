//! Clocks that are wrong: a replica's, and the database's, which on SQLite is that of its processes.

use std::time::Duration;

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
/// What the database's clock is set to, in seconds from the true time, in any order.
const JUMPS: [i64; 4] = [-600, 600, 25 * 3600, 365 * 24 * 3600];
const JUMP_SECONDS: std::ops::Range<u64> = 3..6;
/// Before it is set right: long enough for calls to fail or to be under way.
const WITHOUT_FINANCE: Duration = Duration::from_millis(1_500);
/// Time to work by the true clock.
const PAUSE: Duration = Duration::from_secs(3);
/// What orchestrators wait before they kill.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
/// Times that were taken before a jump may be stored after it.
const AROUND_A_JUMP: f64 = 2.0;

/// A consultation replica is so many seconds ahead. The others take over what it starts, and the reverse.
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
    replica.end(DRAIN_LIMIT).await;
}

/// The database's clock is set to other times, and right again after each.
pub(super) async fn database(world: &World, random: &mut Rng) -> anyhow::Result<()> {
    let clock = FakeClock::new(world.stack.ground.directory.join("database.clock"))?;
    restart(world, Some(&clock)).await?;
    let mut jumps = JUMPS;
    random.shuffle(&mut jumps);
    for ahead in jumps {
        jump(world, &clock, ahead, random).await?;
        sleep(PAUSE).await;
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

/// When the clock is set right, rows wait by the wrong one: some for another try, and of a relay that dies for the end
/// of their lease.
#[expect(clippy::cast_precision_loss, reason = "a year of seconds")]
async fn jump(world: &World, clock: &FakeClock, ahead: i64, random: &mut Rng) -> anyhow::Result<()> {
    let (set, from) = (Instant::now(), seconds());
    clock.set(ahead)?;
    world.seen.count(&format!("clock of the database {ahead:+} s, and set right"));
    sleep(Duration::from_secs(random.u64(JUMP_SECONDS))).await;
    let stack = &world.stack;
    stack.set_finance(Finance::Unavailable);
    // One that is alone has either kind of row.
    let dies = (stack.doors.len() > 1 || random.bool()).then(|| random.usize(..stack.doors.len()));
    if let Some(number) = dies {
        stack.doors[number].set(Finance::BlackHole);
    }
    sleep(WITHOUT_FINANCE).await;
    clock.set(0)?;
    if let Some(number) = dies {
        stack.consultation[number].kill();
        world.seen.count("kill -9 consultation");
    }
    stack.set_finance(Finance::Healthy);
    let time = from - AROUND_A_JUMP..seconds() + AROUND_A_JUMP;
    world.seen.clocks.lock().expect("clocks").extend([
        WrongClock { time, ahead: ahead as f64, set },
        // Nothing is wrong from here on but what began before.
        WrongClock { time: 0.0..0.0, ahead: 0.0, set: Instant::now() },
    ]);
    Ok(())
}
