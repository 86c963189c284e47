//! All servers are lost, and restored as they were at a moment. What was acknowledged before it must be there, what was
//! asked for after it must not, and reconciliation must find no difference between the services.

use anyhow::{Context, ensure};
use tokio::time::{Instant, sleep};

use super::{DUMP_AFTER, QUIET_TIMEOUT, loaded, reconcile};
use crate::{
    after,
    client::{Entry, Outcome},
    invariants::Facts,
    replica::Replica,
    stack::{Backend, Services},
    world::World,
};

pub(super) async fn run(seed: u64, services: &Services) -> anyhow::Result<()> {
    let (world, _keeper, mut clients) = loaded(Backend::PostgresHa, seed, services).await?;
    let patroni = world.stack.patroni.as_ref().context("no servers")?;
    sleep(DUMP_AFTER).await;
    let backup = Instant::now();
    patroni.back_up(&world.stack.ground).await?;
    println!("backed up under load in {:.1?}", backup.elapsed());
    sleep(DUMP_AFTER).await;
    let before = Instant::now();
    let target = patroni.sql("SELECT now()")?;
    let after = Instant::now();
    while clients.join_next().await.is_some() {}
    after::quiet(&world, QUIET_TIMEOUT).await?;
    patroni.archive().await?;

    for replica in world.stack.replicas() {
        replica.hold().await;
    }
    let restore = Instant::now();
    patroni.restore(&world.stack.ground, &target).await?;
    println!("restored to {target} on three servers in {:.1?}", restore.elapsed());
    world.stack.replicas().for_each(Replica::release);
    world.stack.ready(&world.api).await?;
    after::quiet(&world, QUIET_TIMEOUT).await?;
    check(&world, before, after).await
}

/// Compares the databases with the clients' log, and the services with each other.
async fn check(world: &World, before: Instant, after: Instant) -> anyhow::Result<()> {
    let facts = Facts::read(world).await?;
    let is_finished = |entry: &&Entry| {
        let id = entry.id.simple().to_string();
        facts.pending_of(&id).len() == 1 && facts.payments_of(&id).len() == 1
    };
    let finished = facts.log.iter().filter(|entry| matches!(entry.outcome, Outcome::Acknowledged(_)));
    let (older, newer): (Vec<_>, Vec<_>) = (
        finished.clone().filter(|entry| entry.finish.end < before).collect(),
        finished.filter(|entry| entry.finish.start > after).collect(),
    );
    let (kept, gone) = (
        older.iter().copied().filter(is_finished).count(),
        newer.iter().copied().filter(|entry| !is_finished(entry)).count(),
    );
    println!("finished before the moment: {kept} of {} are there with their payment", older.len());
    println!("finished after it: {gone} of {} are gone", newer.len());
    let output = reconcile(&world.stack.consultation[0], &[])?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("reconcile: {}", text.lines().last().unwrap_or_default());
    ensure!(!older.is_empty() && !newer.is_empty(), "the moment lies outside the load");
    ensure!(kept == older.len() && gone == newer.len(), "the moment was not restored");
    ensure!(output.status.success() && text.contains(", 0 differences"), "the services differ: {text}");
    Ok(())
}
