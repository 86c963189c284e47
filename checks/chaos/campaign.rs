//! A campaign: start, load with faults, a quiet time, and the checks.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use chassis::clock;
use fastrand::Rng;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    after,
    client::CLIENTS,
    faults::Fault,
    history, intruder,
    invariants::{self, Facts, Stalls},
    mistakes,
    report::{Report, outcomes},
    stack::{Backend, Postgres, Services, Stack},
    watch::Watch,
    world::World,
};

/// An orchestrator starts a process that ended after a moment, not at once.
const RESTART_INTERVAL: Duration = Duration::from_millis(200);

/// The faults of a campaign, its load and its services.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) backend: Backend,
    pub(crate) seed: u64,
    pub(crate) consultations: i32,
    pub(crate) faults: Vec<Fault>,
    /// The relays deliver everything within this time after the faults.
    pub(crate) quiet: Duration,
    pub(crate) services: Services,
}

/// Runs a campaign.
pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Report> {
    let began = Instant::now();
    let mut random = Rng::with_seed(plan.seed);
    let stack = Stack::start(plan.backend, &plan.services, &mut random).await?;
    let world = Arc::new(World::new(stack, plan.consultations)?);

    let mut around = JoinSet::new();
    around.spawn(keep(world.clone()));
    world.stack.ready(&world.api).await?;
    let mut writers = JoinSet::new();
    writers.spawn(Watch::run(world.clone()));
    let (target, intruder_random) = (world.clone(), random.fork());
    writers.spawn(async move { intruder::run(&target, intruder_random).await });
    let clients = start_clients(&world, &mut random);

    let calm = inject_all(&world, plan, &mut random, began).await?;
    println!("{:>5.0} s  the faults are over", began.elapsed().as_secs_f64());
    let works = after::clients_end(&world, clients).await;
    let mut quiet = after::quiet(&world, plan.quiet).await?;
    let pool = invariants::no_poisoned_pool(&world).await?;
    let stalls = Stalls::of(&world, began);
    // Their calls end with the replicas, so that nothing changes while the facts are read.
    writers.shutdown().await;
    let ends = after::restart(&world).await?;
    // Rows get no second quiet time: those that a restart delivers later count as undelivered.
    quiet += after::quiet(&world, plan.quiet.saturating_sub(quiet)).await?;
    around.shutdown().await;

    let facts = Facts::read(&world).await?;
    let changes = history::read(&world.stack.consultation_store).await?;
    let mut verdicts = invariants::check(&facts, &changes, &world.seen);
    verdicts.extend([works, pool, ends]);
    verdicts.extend(stalls.check());
    verdicts.extend(world.stack.patroni.is_some().then(|| world.api.refusals.check()));
    Ok(Report {
        seed: plan.seed,
        unmade: plan.services.mistake.map_or_else(Vec::new, |mistake| mistakes::check_made(&world.stack, mistake)),
        injected: injected(&world),
        outcomes: outcomes(&facts),
        lost_starts: world.load.lost_starts.load(Ordering::Relaxed),
        silences: stalls.silences.iter().map(|silence| silence.describe(began)).collect(),
        outages: world.seen.outages.lock().expect("outages").clone(),
        gaps: world.seen.gaps.lock().expect("gaps").clone(),
        refusals: world.api.refusals.counts(),
        verdicts,
        latencies: [facts.latencies(calm), facts.latencies(f64::MIN..f64::MAX)],
        quiet,
        length: began.elapsed(),
    })
}

pub(crate) fn start_clients(world: &Arc<World>, random: &mut Rng) -> JoinSet<()> {
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (world, random) = (world.clone(), random.fork());
        clients.spawn(async move { world.load.run(random).await });
    }
    clients
}

/// Injects the faults, one after the other. Returns the time of the first calm, in seconds since 1970.
async fn inject_all(world: &World, plan: &Plan, random: &mut Rng, began: Instant) -> anyhow::Result<Range<f64>> {
    let start = seconds();
    let mut calm = start..start;
    for (number, fault) in plan.faults.iter().enumerate() {
        println!("{:>5.0} s  {fault:?}", began.elapsed().as_secs_f64());
        // Every phase has load, and the last one ends with it.
        let work_left: f64 = plan.faults[number..].iter().map(Fault::work).sum();
        world.load.pace.set(f64::from(world.load.left()) / work_left);
        fault.inject(world, random).await?;
        if matches!(fault, Fault::Calm(_)) && calm.is_empty() {
            calm.end = seconds();
        }
    }
    Ok(calm)
}

/// The number of injections of each fault, of the proxies too.
fn injected(world: &World) -> BTreeMap<String, u64> {
    for (fault, times) in world.stack.finance_proxies.iter().flat_map(|finance_proxy| finance_proxy.log.injected()) {
        world.seen.add(fault, times);
    }
    if let Some(Postgres { proxy, .. }) = &world.stack.postgres {
        for (cut, name) in proxy.cut.iter().zip(["commit", "another statement"]) {
            world.seen.add(&format!("connection cut after {name}"), cut.load(Ordering::Relaxed));
        }
        world.seen.add("connection refused: too many", proxy.refused.load(Ordering::Relaxed));
    }
    world.seen.injected()
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^52")]
pub(crate) fn seconds() -> f64 {
    clock::now().timestamp_millis() as f64 / 1000.0
}

/// Starts every replica that ended and is not held by a fault.
pub(crate) async fn keep(world: Arc<World>) {
    loop {
        for replica in world.stack.replicas() {
            match replica.keep() {
                Ok(false) => {}
                Ok(true) => world.seen.count(&format!("{} ended by itself", replica.program)),
                Err(error) => println!("{error:#}"),
            }
        }
        sleep(RESTART_INTERVAL).await;
    }
}
