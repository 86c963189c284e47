//! A consultation replica is stopped for longer than its leases, with calls under way. It continues at the worst
//! moment: another replica has taken over its rows and is sending them.

use std::time::Duration;

use fastrand::Rng;
use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep};

use crate::{
    history,
    proxy::{Finance, FinanceProxy},
    replica::Replica,
    world::World,
};

/// Just before the leases of 30 s end. From then on the other replica gets only the rows that it takes over.
const STOPPED_BEFORE_TAKEOVER: Duration = Duration::from_millis(28_500);
/// Longer than the leases in any case.
const MIN_STOPPED_FOR: Duration = Duration::from_secs(31);
/// Limit for the replica to claim rows, and for the other to take them over.
const TAKEOVER_TIMEOUT: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(30);
/// Time for calls from before finance fell silent to end: their rows could not be taken over.
const EARLIER_CALLS_END_WITHIN: Duration = Duration::from_millis(500);
/// The other replica holds the rows this long after the stopped one has continued.
const OBSERVED_AFTER: Duration = Duration::from_secs(2);

pub(super) async fn stop(world: &World, random: &mut Rng) -> anyhow::Result<()> {
    let count = world.stack.consultation.len();
    let number = random.usize(0..count);
    let (loser, finance_proxy) = (&world.stack.consultation[number], &world.stack.finance_proxies[number]);
    // Finance must not receive these calls: they would succeed.
    finance_proxy.set(Finance::BlackHole);
    sleep(EARLIER_CALLS_END_WITHIN).await;
    holds(world, loser).await?;
    loser.signal(Signal::SIGSTOP);
    world.seen.count("SIGSTOP for longer than the lease");
    let stopped = Instant::now();
    sleep(STOPPED_BEFORE_TAKEOVER).await;
    if count > 1 {
        let other = (number + 1) % count;
        worst_moment(world, loser, (&world.stack.consultation[other], &world.stack.finance_proxies[other])).await?;
    }
    sleep(MIN_STOPPED_FOR.saturating_sub(stopped.elapsed())).await;
    loser.signal(Signal::SIGCONT);
    world.watch.stopped(loser, stopped..Instant::now());
    sleep(OBSERVED_AFTER).await;
    world.stack.set_finance(Finance::Healthy);
    world.load.pace.multiply(1.0);
    Ok(())
}

/// Waits until the replica holds leases. On SQLite there is one replica, so any leases count.
async fn holds(world: &World, replica: &Replica) -> anyhow::Result<()> {
    let store = &world.stack.consultation_store;
    let writer = if store.is_sqlite() { String::new() } else { format!("{}.", replica.name) };
    let deadline = Instant::now() + TAKEOVER_TIMEOUT;
    while history::held_by(store, &writer).await? == 0 && Instant::now() < deadline {
        sleep(POLL_INTERVAL).await;
    }
    Ok(())
}

/// Waits until the other replica has taken rows over and sends them to a silent finance, so that it keeps their leases.
async fn worst_moment(
    world: &World,
    loser: &Replica,
    (other, finance_proxy): (&Replica, &FinanceProxy),
) -> anyhow::Result<()> {
    world.load.pace.multiply(0.0);
    finance_proxy.set(Finance::BlackHole);
    let (winner, loser) = (format!("{}.", other.name), format!("{}.", loser.name));
    let deadline = Instant::now() + TAKEOVER_TIMEOUT;
    while history::taken_over(&world.stack.consultation_store, &winner, &loser).await? == 0 {
        if Instant::now() > deadline {
            world.seen.count("SIGSTOP: nothing was taken over");
            return Ok(());
        }
        sleep(POLL_INTERVAL).await;
    }
    world.seen.count("SIGSTOP: went on while another held its rows");
    Ok(())
}
