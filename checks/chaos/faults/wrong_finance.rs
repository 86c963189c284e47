//! A consultation replica is pointed at another finance: nothing may be recorded there.

use std::time::Duration;

use fastrand::Rng;
use tokio::{
    task::block_in_place,
    time::{Instant, sleep},
};

use crate::{invariants::names::WRONG_FINANCE, store::Store, world::World};

const START_TIMEOUT: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Two polls and one call.
const WRONG_FOR: Duration = Duration::from_secs(12);

pub(super) async fn replace(world: &World, random: &mut Rng) -> anyhow::Result<()> {
    let stack = &world.stack;
    let (other, url) = stack.another_finance()?;
    block_in_place(|| other.migrate())?;
    other.keep()?;
    let deadline = Instant::now() + START_TIMEOUT;
    while !world.api.is_ready(other.port).await {
        anyhow::ensure!(Instant::now() < deadline, "another finance does not start");
        sleep(POLL_INTERVAL).await;
    }
    let replica = random.choice(&stack.consultation).expect("a replica");
    let setting = ("CONSULTATION_FINANCE_URL".to_owned(), format!("http://127.0.0.1:{}/graphql", other.port));
    replica.set_wrong(vec![setting]);
    replica.end().await;
    world.seen.count("a replica pointed at another finance");
    sleep(WRONG_FOR).await;
    replica.set_wrong(Vec::new());
    replica.end().await;
    stack.ready(&world.api).await?;
    let recorded = Store::connect(&url).await?.number("SELECT count(*) AS n FROM payment").await?;
    world.seen.case(WRONG_FINANCE, (recorded > 0).then(|| format!("{recorded} payments are recorded there")));
    Ok(())
}
