//! The faults. Each is a phase of a campaign under load.

mod clocks;
mod cluster;
mod disk;
mod failover;
mod incidents;
mod locks;
pub(crate) mod named;
mod network;
mod outage;
mod stopped;
mod wrong_finance;

use std::time::Duration;

use fastrand::Rng;
use nix::sys::signal::Signal;
use tokio::time::sleep;

pub(crate) use incidents::Incident;

use crate::{
    proxy::{Cuts, Finance, Lane},
    replica::DRAIN_TIMEOUT,
    stack::Postgres,
    world::World,
};

/// Pauses between two kills.
const KILL_PAUSE_MILLISECONDS: std::ops::Range<u64> = 1000..3000;
/// In a storm; the time of the restart included.
const RESTART_EVERY_SECONDS: u64 = 7;
/// Of 1,000 answers of PostgreSQL, this many are cut. A phase gets enough cuts, and enough answers pass.
const CUTS: Cuts = Cuts { commits: 100, statements: 15 };

/// A phase. Numbers are repetitions or seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// No fault, to measure normal latencies.
    Calm(u64),
    /// Processes are killed.
    Kills(u64),
    /// Processes are killed while PostgreSQL is restarted, connections are cut and answers lost.
    Storm(u64),
    /// The cluster is killed and started again.
    Restarts(u64),
    /// Sessions of PostgreSQL are ended.
    Terminations(u64),
    /// Connections are cut between a commit and its answer.
    Cuts(u64),
    /// Finance commits and its answer is lost.
    DroppedAnswers(u64),
    /// Connections of a service to the database fall silent; with `true` new ones too, for a while.
    HalfOpen(Lane, bool),
    /// Another session locks a row that clients finish.
    RowLocked,
    /// A migration waits for a forgotten transaction.
    MigrateBlocked,
    /// A consultation replica is pointed at another finance.
    WrongFinance,
    /// A consultation replica's clock is this many seconds ahead.
    ReplicaClock(i64),
    /// The database's clock is set wrong and right again.
    DatabaseClock,
    /// The primary dies and the standby becomes the primary.
    Failover,
    /// The standby is lost, then the primary: writes that were not replicated are gone.
    /// Under load, or only with repetitions.
    StandbyLost(bool),
    /// The standby becomes the primary while services still use the old one.
    SplitBrain,
    /// The services are routed to the read-only standby, and back.
    ToStandby,
    /// PostgreSQL under Patroni loses a part.
    Cluster(Incident),
    /// PostgreSQL has few connections, for this many seconds.
    FewConnections(u64),
    /// A hostile server answers in finance's place.
    Hostile(u64),
    /// Finance is away.
    Outage(Finance, u64),
    /// A consultation replica is stopped for longer than its leases.
    Stopped,
    /// The database's disk is full.
    DiskFull(u64),
    /// All replicas are replaced, one by one.
    Rolling,
}

impl Fault {
    /// Its approximate length in seconds, weighted with the factor of the load.
    #[expect(clippy::cast_precision_loss, reason = "a few minutes")]
    pub(crate) fn work(&self) -> f64 {
        match *self {
            Self::Calm(seconds)
            | Self::Terminations(seconds)
            | Self::Cuts(seconds)
            | Self::DroppedAnswers(seconds)
            | Self::FewConnections(seconds)
            | Self::Hostile(seconds) => seconds as f64,
            Self::Outage(_, seconds) => outage::LOAD_FACTOR * seconds as f64 + DRAIN_TIMEOUT.as_secs_f64(),
            Self::Kills(times) | Self::Storm(times) => 2.0 * times as f64,
            Self::Restarts(times) => 5.0 * times as f64,
            Self::DiskFull(times) => 15.0 * times as f64,
            Self::Stopped | Self::DatabaseClock => 35.0,
            Self::HalfOpen(..) | Self::SplitBrain => 30.0,
            Self::RowLocked
            | Self::MigrateBlocked
            | Self::WrongFinance
            | Self::ReplicaClock(_)
            | Self::StandbyLost(_)
            | Self::ToStandby => 20.0,
            Self::Cluster(incident) => incident.work(),
            Self::Failover => 10.0,
            Self::Rolling => 5.0,
        }
    }

    pub(crate) async fn inject(self, world: &World, random: &mut Rng) -> anyhow::Result<()> {
        match self {
            Self::Calm(seconds) => sleep(Duration::from_secs(seconds)).await,
            Self::Kills(times) => kills(world, times, random).await,
            Self::Storm(times) => storm(world, times, random).await,
            Self::Restarts(times) => cluster::restarts(world, times, random).await,
            Self::Terminations(seconds) => cluster::terminations(world, seconds, random).await?,
            Self::Cuts(seconds) => cuts(world, seconds).await,
            Self::RowLocked => locks::row(world, random).await?,
            Self::MigrateBlocked => locks::migration(world).await?,
            Self::WrongFinance => wrong_finance::replace(world, random).await?,
            Self::ReplicaClock(ahead) => clocks::replica(world, ahead, random).await?,
            Self::DatabaseClock => clocks::database(world, random).await?,
            Self::Failover => failover::failover(world).await?,
            Self::StandbyLost(busy) => failover::standby_lost(world, busy, random).await?,
            Self::SplitBrain => failover::split_brain(world).await?,
            Self::ToStandby => failover::to_standby(world).await,
            Self::Cluster(incident) => incident.inject(world, random).await?,
            Self::HalfOpen(lane, also_new) => network::half_open(world, lane, also_new, random).await,
            Self::FewConnections(seconds) => network::few_connections(world, seconds).await?,
            Self::DroppedAnswers(seconds) => finance(world, Finance::DropsAnswers, seconds).await,
            Self::Hostile(seconds) => finance(world, Finance::Hostile, seconds).await,
            Self::Outage(kind, seconds) => outage::last(world, kind, Duration::from_secs(seconds)).await?,
            Self::Stopped => stopped::stop(world, random).await?,
            Self::DiskFull(times) => disk::full(world, times, random).await?,
            Self::Rolling => rolling(world).await?,
        }
        Ok(())
    }
}

async fn kills(world: &World, times: u64, random: &mut Rng) {
    for _ in 0..times {
        sleep(Duration::from_millis(random.u64(KILL_PAUSE_MILLISECONDS))).await;
        let replicas: Vec<_> = world.stack.replicas().collect();
        let replica = random.choice(replicas).expect("a replica");
        replica.kill();
        world.seen.count(&format!("kill -9 {}", replica.program));
    }
}

async fn storm(world: &World, kills_wanted: u64, random: &mut Rng) {
    let mut other = random.fork();
    let kills = kills(world, kills_wanted, random);
    let seconds = kills_wanted * 2;
    let restarts = async {
        if world.stack.postgres.is_some() {
            cluster::restarts(world, seconds / RESTART_EVERY_SECONDS, &mut other).await;
        }
    };
    tokio::join!(kills, restarts, cuts(world, seconds), finance(world, Finance::DropsAnswers, seconds));
}

async fn cuts(world: &World, seconds: u64) {
    let Some(Postgres { proxy, .. }) = &world.stack.postgres else { return };
    proxy.cut(CUTS);
    sleep(Duration::from_secs(seconds)).await;
    proxy.cut(Cuts::default());
}

async fn finance(world: &World, finance: Finance, seconds: u64) {
    world.stack.set_finance(finance);
    sleep(Duration::from_secs(seconds)).await;
    world.stack.set_finance(Finance::Healthy);
}

/// Replaces all replicas, as a new version is rolled out.
async fn rolling(world: &World) -> anyhow::Result<()> {
    // A replica that was just killed cannot be asked to end.
    world.stack.ready(&world.api).await?;
    for replica in world.stack.replicas() {
        let code = replica.end().await;
        world.seen.count(&format!("{:?} {}", Signal::SIGTERM, replica.program));
        let wrong = (code != Some(0))
            .then(|| format!("{} ended with {code:?} instead of 0 within {DRAIN_TIMEOUT:?}", replica.name));
        world.seen.ends.lock().expect("ends").push((replica.name.clone(), wrong));
        world.stack.ready(&world.api).await?;
    }
    Ok(())
}
