//! One service's database is restored from an older dump. Reconciliation must name exactly the payments that are
//! missing on one side or unknown to the other, and its remedy must make both sides equal.

mod point_in_time;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use anyhow::{bail, ensure};
use fastrand::Rng;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    after, campaign,
    invariants::Facts,
    replica::Replica,
    stack::{Backend, Services, Stack},
    world::World,
};

const CONSULTATIONS: i32 = 400;
const PACE: f64 = 60.0;
/// The dump is made this long after the load began.
const DUMP_AFTER: Duration = Duration::from_secs(3);
/// Limit for two polls and a lease.
const QUIET_TIMEOUT: Duration = Duration::from_secs(45);

/// Restores finance, then consultation, each in a run of its own. Servers under Patroni are restored to a moment.
pub(crate) async fn run(backend: Backend, seed: u64, services: &Services) -> anyhow::Result<()> {
    if backend == Backend::PostgresHa {
        return point_in_time::run(seed, services).await;
    }
    let mut wrong = Vec::new();
    for restored in ["finance", "consultation"] {
        let outcome = restore(backend, seed, services, restored).await?;
        println!("{restored} restored from an older dump: {outcome}");
        wrong.extend(outcome.wrong());
    }
    if wrong.is_empty() { Ok(()) } else { bail!("reconcile names others: {}", wrong.join("; ")) }
}

/// Consultations by reconciliation's expected and actual verdicts.
struct Outcome {
    code: &'static str,
    expected: BTreeSet<String>,
    named: BTreeSet<String>,
    exit: Option<i32>,
    /// The last line after the remedy, which says that both sides agree.
    mended: Option<String>,
}

impl Outcome {
    fn wrong(&self) -> Option<String> {
        let is_named = self.expected == self.named && !self.named.is_empty() && self.exit == Some(1);
        let is_right = is_named && self.mended.is_some();
        (!is_right).then(|| self.to_string())
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, expected, named, exit, mended } = self;
        let [unnamed, others] = [expected.difference(named).count(), named.difference(expected).count()];
        write!(
            f,
            "{} {code} named, {unnamed} not named, {others} named that are none, exit code {exit:?}; ",
            named.len()
        )?;
        f.write_str(mended.as_deref().unwrap_or("its remedy leaves differences"))
    }
}

/// Services and clients that have begun to work.
async fn loaded(
    backend: Backend,
    seed: u64,
    services: &Services,
) -> anyhow::Result<(Arc<World>, JoinSet<()>, JoinSet<()>)> {
    let mut random = Rng::with_seed(seed);
    let stack = Stack::start(backend, services, &mut random).await?;
    let world = Arc::new(World::new(stack, CONSULTATIONS)?);
    let mut keeper = JoinSet::new();
    keeper.spawn(campaign::keep(world.clone()));
    world.stack.ready(&world.api).await?;
    let clients = campaign::start_clients(&world, &mut random);
    world.load.pace.set(PACE);
    Ok((world, keeper, clients))
}

async fn restore(backend: Backend, seed: u64, services: &Services, name: &'static str) -> anyhow::Result<Outcome> {
    let (world, _keeper, mut clients) = loaded(backend, seed, services).await?;
    sleep(DUMP_AFTER).await;
    world.stack.dump(name).await?;
    while clients.join_next().await.is_some() {}
    after::quiet(&world, QUIET_TIMEOUT).await?;

    let replicas: Vec<_> = world.stack.replicas().filter(|replica| replica.program == name).collect();
    for replica in &replicas {
        replica.hold().await;
    }
    world.stack.restore(name)?;
    for replica in &replicas {
        replica.release();
    }
    world.stack.ready(&world.api).await?;
    sleep(Duration::from_secs(1)).await;
    compare(&world, name).await
}

async fn compare(world: &World, name: &str) -> anyhow::Result<Outcome> {
    let (consultation, finance) = world.stack.stores().await?;
    let left = "SELECT count(*) AS n FROM pending_payment WHERE NOT finished";
    let began = std::time::Instant::now();
    while consultation.number(left).await? > 0 && began.elapsed() < QUIET_TIMEOUT {
        sleep(Duration::from_millis(100)).await;
    }
    let facts = Facts::of(&consultation, &finance, &world.load).await?;
    let is_finished = |id: &String| facts.consultations.get(id).is_some_and(|found| found.price.is_some());
    let (code, remedy, expected): (_, _, BTreeSet<String>) = if name == "finance" {
        let missing = facts.consultations.keys().filter(|id| is_finished(id) && facts.payments_of(id).is_empty());
        ("MISSING_PAYMENT", &["--send-again"][..], missing.cloned().collect())
    } else {
        (
            "PAYMENT_WITHOUT_CONSULTATION",
            &["--adopt", "--yes"][..],
            facts.payments.keys().filter(|id| !is_finished(id)).cloned().collect(),
        )
    };
    ensure!(!expected.is_empty(), "nothing was lost by restoring {name}");
    let output = reconcile(&world.stack.consultation[0], &[])?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let named = text.lines().filter(|line| line.starts_with(code)).filter_map(id).collect();
    let mended = mend(&world.stack.consultation[0], remedy).await?;
    Ok(Outcome { code, expected, named, exit: output.status.code(), mended })
}

/// Runs the remedy, and compares until nothing is in transit. Returns the last line if both sides agree.
async fn mend(replica: &Replica, remedy: &[&str]) -> anyhow::Result<Option<String>> {
    let began = std::time::Instant::now();
    reconcile(replica, remedy)?;
    while began.elapsed() < QUIET_TIMEOUT {
        let output = reconcile(replica, &[])?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() && text.contains(", 0 in transit, 0 differences") {
            return Ok(text.lines().last().map(str::to_owned));
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(None)
}

fn reconcile(replica: &Replica, remedy: &[&str]) -> anyhow::Result<std::process::Output> {
    let mut command = replica.reconciliation();
    command.args(remedy);
    tokio::task::block_in_place(|| command.output().map_err(Into::into))
}

/// The consultation of a line.
fn id(line: &str) -> Option<String> {
    let words = line.split_whitespace().filter_map(|word| word.split_once('='));
    let mut ids = words.filter(|(name, _)| matches!(*name, "consultation" | "appointment"));
    ids.next().map(|(_, id)| id.replace('-', ""))
}
