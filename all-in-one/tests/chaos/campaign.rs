//! A campaign: everything is started, used and hurt, left in peace, and checked.

use std::{sync::Arc, time::Duration};

use chassis::clock;
use fastrand::Rng;
use testkit::Backend;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    api::Api,
    client::{CLIENTS, Load},
    faults::Fault,
    history, intruder,
    invariants::{self, Facts, Verdict},
    report::{Report, told},
    stack::Stack,
    world::{Seen, World},
};

/// As an orchestrator: soon, but not at once.
const KEEP_EVERY: Duration = Duration::from_millis(200);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// What is left to do when the faults are over is done as fast as it goes.
const PACE_AT_THE_END: f64 = 400.0;
/// The clients' longest chain of attempts.
const CLIENTS_END_WITHIN: Duration = Duration::from_secs(90);

/// What to do to whom.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) backend: Backend,
    pub(crate) seed: u64,
    pub(crate) consultations: i32,
    pub(crate) faults: Vec<Fault>,
    /// How long the relays have to deliver everything when all is well again.
    pub(crate) quiet: Duration,
    /// Which mistake the services shall make.
    pub(crate) bug: Option<&'static str>,
}

/// Runs it.
pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Report> {
    let began = Instant::now();
    let mut random = Rng::with_seed(plan.seed);
    let stack = Stack::start(plan.backend, plan.bug, &mut random).await?;
    let api = Api::new()?;
    let ports = stack.consultation.iter().map(|replica| replica.port).collect();
    let load = Load::new(api.clone(), ports, plan.consultations);
    let world = Arc::new(World { stack, api, load, seen: Seen::default() });

    let (mut around, mut clients) = (JoinSet::new(), JoinSet::new());
    around.spawn(keep(world.clone()));
    world.stack.ready(&world.api).await?;
    for _ in 0..CLIENTS {
        let (world, random) = (world.clone(), random.fork());
        clients.spawn(async move { world.load.run(random).await });
    }
    let (pester, intruder_random) = (world.clone(), random.fork());
    around.spawn(async move { intruder::run(&pester, intruder_random).await });

    let start = seconds();
    let mut calm = start..start;
    for (number, fault) in plan.faults.iter().enumerate() {
        println!("{:>5.0} s  {fault:?}", began.elapsed().as_secs_f64());
        // So that every phase has load, and all of it is used.
        let work_left: f64 = plan.faults[number..].iter().map(Fault::work).sum();
        world.load.set_pace(f64::from(world.load.left()) / work_left);
        fault.inject(&world, &mut random).await?;
        if matches!(fault, Fault::Calm(_)) && calm.is_empty() {
            calm.end = seconds();
        }
    }
    println!("{:>5.0} s  the faults are over", began.elapsed().as_secs_f64());
    let mut verdicts = vec![end(&world, clients).await?];
    let quiet = quiet(&world, plan.quiet).await?;
    verdicts.push(invariants::no_poisoned_pool(&world).await?);
    around.shutdown().await;

    let facts = Facts::read(&world).await?;
    let changes = history::read(&world.stack.consultation_store).await?;
    verdicts.splice(0..0, invariants::check(&facts, &changes, &world.seen));
    if let Some(proxy) = &world.stack.database_proxy {
        for (cut, name) in proxy.cut.iter().zip(["commit", "another statement"]) {
            world.seen.add(&format!("connection cut after {name}"), cut.load(std::sync::atomic::Ordering::Relaxed));
        }
    }
    Ok(Report {
        seed: plan.seed,
        injected: world.seen.injected(),
        told: told(&facts),
        lost_starts: world.load.lost_starts.load(std::sync::atomic::Ordering::Relaxed),
        outages: world.seen.outages.lock().expect("outages").clone(),
        verdicts,
        latencies: [facts.latencies(calm), facts.latencies(f64::MIN..f64::MAX)],
        quiet,
        length: began.elapsed(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^52")]
pub(crate) fn seconds() -> f64 {
    clock::now().timestamp_millis() as f64 / 1000.0
}

async fn keep(world: Arc<World>) {
    loop {
        for replica in world.stack.replicas() {
            match replica.keep() {
                Ok(false) => {}
                Ok(true) => world.seen.count(&format!("{} ended by itself", replica.program)),
                Err(error) => println!("{error:#}"),
            }
        }
        sleep(KEEP_EVERY).await;
    }
}

/// Lets the clients end; then every replica must be ready and answer a write.
async fn end(world: &World, mut clients: JoinSet<()>) -> anyhow::Result<Verdict> {
    world.stack.ready(&world.api).await?;
    world.load.set_pace(PACE_AT_THE_END);
    let _ = tokio::time::timeout(CLIENTS_END_WITHIN, async { while clients.join_next().await.is_some() {} }).await;
    clients.shutdown().await;
    let mut cases = Vec::new();
    for replica in &world.stack.consultation {
        let [physician, patient] = [(); 2].map(|()| uuid::Uuid::new_v4().to_string());
        let Ok(id) = world.api.start(replica.port, &physician, &patient).await else {
            cases.push(Some(format!("{} does not start a consultation", replica.name)));
            continue;
        };
        let end = (clock::now() + Duration::from_mins(1)).to_rfc3339();
        let finished = world.api.finish(replica.port, &id, &end).await;
        cases.push(finished.err().map(|_| format!("{} does not finish a consultation", replica.name)));
        for finance in &world.stack.finance {
            // The price of up to an hour.
            let recorded = world.api.record(finance.port, &id, "200.00").await;
            cases.push(recorded.err().map(|_| format!("{} does not record a payment", finance.name)));
        }
    }
    Ok(Verdict::of("when the faults are over every replica is ready and writes", cases))
}

/// Waits until nothing is left to deliver, and no longer than `limit`.
async fn quiet(world: &World, limit: Duration) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let left = "SELECT count(*) AS n FROM pending_payment WHERE NOT finished";
    while world.stack.consultation_store.number(left).await? > 0 && began.elapsed() < limit {
        sleep(ASK_AGAIN_AFTER).await;
    }
    Ok(began.elapsed())
}
