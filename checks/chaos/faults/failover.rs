//! A primary with a synchronous standby. Acknowledged writes survive the loss of either.

mod repetitions;

use std::time::Duration;

use tokio::time::sleep;

use crate::{proxy::Finance, stack::Postgres, world::World};
use repetitions::Repetitions;

/// Time for which commits wait for a lost standby.
const WITHOUT_STANDBY: Duration = Duration::from_secs(3);
/// Clients end their calls within this time.
const CLIENTS_TIMEOUT: Duration = Duration::from_secs(2);
/// Time for which clients and relays repeat unanswered calls.
const REPETITIONS_FOR: Duration = Duration::from_secs(9);
/// Time for which services still use the old primary after the promotion of the standby. It runs on for longer.
const TWO_PRIMARIES_FOR: Duration = Duration::from_secs(6);
const OLD_PRIMARY_LIVES_FOR: Duration = Duration::from_secs(14);
const ON_STANDBY_FOR: Duration = Duration::from_secs(8);
/// Work after a fault.
const RECOVERY_PAUSE: Duration = Duration::from_secs(4);
/// Services drop sessions on a standby within this time.
const SESSIONS_DROPPED_WITHIN: Duration = Duration::from_secs(12);

pub(super) async fn failover(world: &World) -> anyhow::Result<()> {
    let Some(postgres) = &world.stack.postgres else { return Ok(()) };
    postgres.cluster.kill(postgres.cluster.primary());
    world.seen.count("primary killed, standby promoted");
    change_places(postgres).await?;
    sleep(RECOVERY_PAUSE).await;
    Ok(())
}

/// Promotes the standby. The old primary, which is down, becomes its standby.
async fn change_places(Postgres { cluster, proxy }: &Postgres) -> anyhow::Result<()> {
    cluster.promote()?;
    proxy.route_to(cluster.standby().port, true);
    cluster.exchange();
    cluster.attach_standby().await
}

/// Finishes and payments are committed on the primary alone, repeated, and lost with it. No client may have been told
/// that they are stored. Under load, new finishes delay the repetitions.
pub(super) async fn standby_lost(world: &World, busy: bool, random: &mut fastrand::Rng) -> anyhow::Result<()> {
    let Some(postgres) = &world.stack.postgres else { return Ok(()) };
    let cluster = &postgres.cluster;
    let repetitions = Repetitions::prepare(world, random).await;
    if !busy {
        world.load.pace.multiply(0.0);
        sleep(CLIENTS_TIMEOUT).await;
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
    world.load.pace.multiply(1.0);
    anyhow::ensure!(cluster.begin(cluster.standby()), "the standby does not start");
    change_places(postgres).await?;
    // The relays cannot deliver the prepared payments.
    world.stack.set_finance(Finance::Healthy);
    sleep(RECOVERY_PAUSE).await;
    Ok(())
}

pub(super) async fn split_brain(world: &World) -> anyhow::Result<()> {
    let Some(Postgres { cluster, proxy }) = &world.stack.postgres else { return Ok(()) };
    cluster.promote()?;
    world.seen.count("standby promoted beside the primary");
    sleep(TWO_PRIMARIES_FOR).await;
    // The new primary commits without a standby until it has one.
    proxy.route_to(cluster.standby().port, false);
    cluster.exchange();
    sleep(OLD_PRIMARY_LIVES_FOR).await;
    cluster.kill(cluster.standby());
    cluster.attach_standby().await?;
    sleep(RECOVERY_PAUSE).await;
    Ok(())
}

pub(super) async fn to_standby(world: &World) {
    let Some(Postgres { cluster, proxy }) = &world.stack.postgres else { return };
    proxy.route_services_to(cluster.standby().port, true);
    world.seen.count("led to the standby and back");
    sleep(ON_STANDBY_FOR).await;
    // Sessions on the standby stay open: the services have to leave them.
    proxy.route_services_to(cluster.primary().port, false);
    sleep(SESSIONS_DROPPED_WITHIN).await;
}
