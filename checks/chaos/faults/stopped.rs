//! A consultation replica stands still while its calls are under way, for longer than its lease, and goes
//! on at the worst moment: when another has taken its rows over and is sending them.

use std::time::Duration;

use fastrand::Rng;
use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep};

use crate::{
    history,
    proxy::{Door, Finance},
    replica::Replica,
    world::World,
};

/// Just before the lease of 30 s ends: then the other replica gets nothing but what it takes over.
const BEFORE_THE_END: Duration = Duration::from_millis(28_500);
/// Longer than the lease, whatever else goes wrong.
const AT_LEAST: Duration = Duration::from_secs(31);
/// Two leases and a poll: until it has rows to lose, and until they are taken over.
const PATIENCE: Duration = Duration::from_secs(20);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(30);
/// Time for calls that came before the hole to end: their rows would not be there to be taken over.
const EARLIER_CALLS: Duration = Duration::from_millis(500);
/// Time for what woke up to do its harm, while the other still holds the rows.
const HARM: Duration = Duration::from_secs(2);

pub(super) async fn stop(world: &World, random: &mut Rng) -> anyhow::Result<()> {
    let count = world.stack.consultation.len();
    let number = random.usize(0..count);
    let (loser, door) = (&world.stack.consultation[number], &world.stack.doors[number]);
    // Finance must not know these calls: they would succeed.
    door.set(Finance::BlackHole);
    sleep(EARLIER_CALLS).await;
    holds(world, loser).await?;
    loser.signal(Signal::SIGSTOP);
    world.seen.count("SIGSTOP for longer than the lease");
    let stopped = Instant::now();
    sleep(BEFORE_THE_END).await;
    if count > 1 {
        let other = (number + 1) % count;
        worst_moment(world, loser, (&world.stack.consultation[other], &world.stack.doors[other])).await?;
    }
    sleep(AT_LEAST.saturating_sub(stopped.elapsed())).await;
    loser.signal(Signal::SIGCONT);
    world.watch.stopped(loser, stopped..Instant::now());
    sleep(HARM).await;
    world.stack.set_finance(Finance::Healthy);
    world.load.pace.hurry(1.0);
    Ok(())
}

/// Waits until the replica holds rows, or any on SQLite, where it is alone.
async fn holds(world: &World, replica: &Replica) -> anyhow::Result<()> {
    let store = &world.stack.consultation_store;
    let writer = if store.is_sqlite() { String::new() } else { format!("{}.", replica.name) };
    let deadline = Instant::now() + PATIENCE;
    while history::held_by(store, &writer).await? == 0 && Instant::now() < deadline {
        sleep(ASK_AGAIN_AFTER).await;
    }
    Ok(())
}

/// Waits until the other replica sends what the stopped one held, into a hole, so that it still holds it.
async fn worst_moment(world: &World, loser: &Replica, (other, door): (&Replica, &Door)) -> anyhow::Result<()> {
    world.load.pace.hurry(0.0);
    door.set(Finance::BlackHole);
    let (winner, loser) = (format!("{}.", other.name), format!("{}.", loser.name));
    let deadline = Instant::now() + PATIENCE;
    while history::taken_over(&world.stack.consultation_store, &winner, &loser).await? == 0 {
        if Instant::now() > deadline {
            world.seen.count("SIGSTOP: nothing was taken over");
            return Ok(());
        }
        sleep(ASK_AGAIN_AFTER).await;
    }
    world.seen.count("SIGSTOP: went on while another held its rows");
    Ok(())
}
