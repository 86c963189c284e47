//! Measures the times in `docs/reliability.md`, without other faults.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use chassis::clock;
use fastrand::Rng;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use uuid::Uuid;

use crate::{
    campaign::seconds,
    client::CLIENTS,
    faults::Fault,
    history,
    invariants::Facts,
    proxy::Finance,
    report::{self, percentile},
    stack::{Backend, Services, Stack},
    world::World,
};

/// More than all phases use up.
const CONSULTATIONS: i32 = 1_000_000;
const LATENCY_FOR: Duration = Duration::from_secs(30);
const LATENCY_PACE: f64 = 50.0;
/// Rows without a notification to a relay, one after the other.
const UNNOTIFIED: usize = 200;
const UNNOTIFIED_PAUSE: Duration = Duration::from_millis(150);
const TAKEOVERS: usize = 3;
const OUTAGES: [u64; 3] = [10, 60, 300];
/// Twice this while finance is away.
const OUTAGE_PACE: f64 = 10.0;
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Longer than any promise.
const DELIVERY_TIMEOUT: Duration = Duration::from_mins(1);

/// Measures and prints Markdown.
pub(crate) async fn run(seed: u64, services: &Services) -> anyhow::Result<()> {
    let mut random = Rng::with_seed(seed);
    let stack = Stack::start(Backend::Postgres, services, &mut random).await?;
    let world = Arc::new(World::new(stack, CONSULTATIONS)?);
    for replica in world.stack.replicas() {
        replica.keep()?;
    }
    world.stack.ready(&world.api).await?;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (world, random) = (world.clone(), random.fork());
        clients.spawn(async move { world.load.run(random).await });
    }
    latency(&world).await?;
    takeovers(&world).await?;
    outages(&world, &mut random).await
}

async fn latency(world: &World) -> anyhow::Result<()> {
    println!("| from finish to confirmed | p50 | p99 |\n|---|---|---|");
    let begin = seconds();
    world.load.pace.set(LATENCY_PACE);
    sleep(LATENCY_FOR).await;
    world.load.pace.set(0.0);
    let end = seconds();
    delivered(world).await?;
    print_latency(world, &format!("with hints, {LATENCY_PACE}/s"), begin..end).await?;

    let begin = seconds();
    for _ in 0..UNNOTIFIED {
        enqueue_unnotified(world).await?;
        sleep(UNNOTIFIED_PAUSE).await;
    }
    delivered(world).await?;
    print_latency(world, "without any hint", begin..seconds()).await
}

async fn print_latency(world: &World, what: &str, period: std::ops::Range<f64>) -> anyhow::Result<()> {
    let latencies = Facts::read(world).await?.latencies(period);
    println!("| {what} | {} | {} |", percentile(&latencies, 50), percentile(&latencies, 99));
    Ok(())
}

/// Writes a finished consultation and its pending payment past the service.
async fn enqueue_unnotified(world: &World) -> anyhow::Result<()> {
    let id = clock::id_at(clock::now());
    let sql = format!(
        "WITH finished AS (
             INSERT INTO consultation (id, physician_id, patient_id, start_date, end_date, price_cents)
             VALUES ('{id}', '{id}', '{id}', now() - interval '1 h', now(), 20000) RETURNING id)
         INSERT INTO pending_payment (id, appointment_id, total_price_cents, next_attempt_at, created_at)
         SELECT id, id, 20000, clock_timestamp(), clock_timestamp() FROM finished"
    );
    world.stack.consultation_store.run(&sql).await
}

async fn delivered(world: &World) -> anyhow::Result<Duration> {
    let begin = Instant::now();
    let left = "SELECT count(*) AS n FROM pending_payment WHERE NOT finished";
    while world.stack.consultation_store.number(left).await? > 0 {
        ensure!(begin.elapsed() < DELIVERY_TIMEOUT, "not delivered after {DELIVERY_TIMEOUT:?}");
        sleep(POLL_INTERVAL).await;
    }
    Ok(begin.elapsed())
}

/// A relay is killed while it waits for finance. Another takes its row over.
async fn takeovers(world: &World) -> anyhow::Result<()> {
    println!("\n| a relay was killed | its row was delivered by the other after |\n|---|---|");
    let [loser, successor] = &world.stack.consultation[..] else { unreachable!("two replicas") };
    for number in 1..=TAKEOVERS {
        // The successor starts after the loser has died, so that it does not claim the row first.
        successor.kill();
        world.stack.finance_proxies[0].set(Finance::BlackHole);
        let [physician, patient] = [(); 2].map(|()| Uuid::new_v4().to_string());
        let end = (clock::now() + Duration::from_mins(1)).to_rfc3339();
        let finished = async {
            let id = world.api.start(loser.port, &physician, &patient).await?;
            world.api.finish(loser.port, &id, Some(&end)).await
        };
        ensure!(finished.await.is_ok(), "no consultation to finish");
        while history::held_by(&world.stack.consultation_store, &loser.name).await? == 0 {
            sleep(POLL_INTERVAL).await;
        }
        loser.kill();
        successor.keep()?;
        println!("| {number} | {:.1?} |", delivered(world).await?);
        world.stack.set_finance(Finance::Healthy);
        loser.keep()?;
        world.stack.ready(&world.api).await?;
    }
    Ok(())
}

async fn outages(world: &World, random: &mut Rng) -> anyhow::Result<()> {
    println!("\n| finance | for | rows due | calls per relay | first success after | all delivered after |");
    println!("|---|---|---|---|---|---|");
    for finance in [Finance::Refused, Finance::BlackHole] {
        for length in OUTAGES {
            world.load.pace.set(OUTAGE_PACE);
            Fault::Outage(finance, length).inject(world, random).await?;
            world.load.pace.set(0.0);
            let outages = world.seen.outages.lock().expect("outages");
            let outage = outages.last().expect("it was just seen");
            let calls: Vec<_> = outage.calls.iter().map(|[all, _]| all.to_string()).collect();
            let [recovery, drain] = [outage.recovery, outage.drain].map(report::seconds);
            println!("| {finance:?} | {length} s | {} | {} | {recovery} | {drain} |", outage.due, calls.join(", "));
        }
    }
    Ok(())
}
