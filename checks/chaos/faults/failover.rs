//! Two PostgreSQL servers, of which one is a synchronous standby: what was acknowledged survives the loss of either.

mod repetitions;

use std::time::Duration;

use tokio::time::sleep;

use crate::{proxy::Finance, stack::Postgres, world::World};
use repetitions::Repetitions;

/// Time for commits to wait for a standby that is gone.
const WITHOUT_STANDBY: Duration = Duration::from_secs(3);
/// Time for clients to end what they began.
const CLIENTS_END_WITHIN: Duration = Duration::from_secs(2);
/// Time for clients and relays to ask again what was not answered.
const REPETITIONS_FOR: Duration = Duration::from_secs(9);
/// How long the old primary is asked after the standby has become one, and how long it lives on.
const TWO_PRIMARIES_FOR: Duration = Duration::from_secs(6);
const OLD_LIVES_FOR: Duration = Duration::from_secs(14);
const ON_STANDBY_FOR: Duration = Duration::from_secs(8);
/// Time to work again.
const PAUSE: Duration = Duration::from_secs(4);
/// In which sessions on a standby must have been dropped.
const BACK_FOR: Duration = Duration::from_secs(12);

pub(super) async fn failover(world: &World) -> anyhow::Result<()> {
    let Some(postgres) = &world.stack.postgres else { return Ok(()) };
    postgres.cluster.kill(postgres.cluster.primary());
    world.seen.count("primary killed, standby promoted");
    change_places(postgres).await?;
    sleep(PAUSE).await;
    Ok(())
}

/// The standby becomes the primary, and the old primary, which is down, its standby.
async fn change_places(Postgres { cluster, proxy }: &Postgres) -> anyhow::Result<()> {
    cluster.promote()?;
    proxy.lead_to(cluster.standby().port, true);
    cluster.exchange();
    cluster.attach_standby().await
}

/// Finishes and payments are committed by the primary alone, asked for again, and lost with it. Nobody may have been
/// told that they are there. New finishes of a busy load make the repetitions wait for them.
pub(super) async fn standby_lost(world: &World, busy: bool, random: &mut fastrand::Rng) -> anyhow::Result<()> {
    let Some(postgres) = &world.stack.postgres else { return Ok(()) };
    let cluster = &postgres.cluster;
    let repetitions = Repetitions::prepare(world, random).await;
    if !busy {
        world.load.pace.hurry(0.0);
        sleep(CLIENTS_END_WITHIN).await;
    }
    cluster.kill(cluster.standby());
    world.seen.count("standby lost, primary restarted, then lost");
    let asked = repetitions.ask(world, WITHOUT_STANDBY + REPETITIONS_FOR);
    let lost = async {
        sleep(WITHOUT_STANDBY).await;
        cluster.restart();
        sleep(REPETITIONS_FOR).await;
        cluster.kill(cluster.primary());
    };
    tokio::join!(asked, lost);
    world.load.pace.hurry(1.0);
    anyhow::ensure!(cluster.begin(cluster.standby()), "the standby does not start");
    change_places(postgres).await?;
    // The relays could not deliver what was prepared.
    world.stack.set_finance(Finance::Healthy);
    sleep(PAUSE).await;
    Ok(())
}

pub(super) async fn split_brain(world: &World) -> anyhow::Result<()> {
    let Some(Postgres { cluster, proxy }) = &world.stack.postgres else { return Ok(()) };
    cluster.promote()?;
    world.seen.count("standby promoted beside the primary");
    sleep(TWO_PRIMARIES_FOR).await;
    // The new primary has no standby, and nobody waits for one until there is.
    proxy.lead_to(cluster.standby().port, false);
    cluster.exchange();
    sleep(OLD_LIVES_FOR).await;
    cluster.kill(cluster.standby());
    cluster.attach_standby().await?;
    sleep(PAUSE).await;
    Ok(())
}

pub(super) async fn to_standby(world: &World) {
    let Some(Postgres { cluster, proxy }) = &world.stack.postgres else { return };
    proxy.lead_services_to(cluster.standby().port, true);
    world.seen.count("led to the standby and back");
    sleep(ON_STANDBY_FOR).await;
    // Sessions on the standby go on: it is for the services to leave them.
    proxy.lead_services_to(cluster.primary().port, false);
    sleep(BACK_FOR).await;
}
