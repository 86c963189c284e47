//! Notices a service that says that it is ready while all its sessions are on standbys. Under Patroni only.

use std::time::Duration;

use sea_orm::FromQueryResult;
use tokio::time::{Instant, sleep, timeout};

use crate::{api::Api, invariants::names::STANDBY, patroni::Patroni, store::Store, world::World};

const SAMPLE_INTERVAL: Duration = Duration::from_millis(500);
/// A server that hangs or is off does not answer, and nobody uses it.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);
/// Readiness is checked each second, and an unanswered check counts for 5 s.
const NOTICED_WITHIN: Duration = Duration::from_secs(7);

/// The services with sessions on one server.
#[derive(Debug, FromQueryResult)]
struct Sessions {
    is_standby: bool,
    names: String,
}

const SESSIONS: &str = "SELECT pg_is_in_recovery() AS is_standby,
    ' ' || coalesce(string_agg(split_part(application_name, '.', 1), ' '), '') || ' ' AS names FROM pg_stat_activity";

/// Samples until it is stopped.
pub(super) async fn watch(world: &World, api: &Api, patroni: &Patroni) {
    let mut servers = Vec::new();
    for node in &patroni.nodes {
        servers.extend(Store::connect(&node.url()).await);
    }
    let mut since = vec![None; world.stack.replicas().count()];
    loop {
        sleep(SAMPLE_INTERVAL).await;
        let mut sessions: Vec<Sessions> = Vec::new();
        for server in &servers {
            let rows = timeout(ANSWER_TIMEOUT, server.rows_now(SESSIONS)).await;
            sessions.extend(rows.into_iter().flatten().flatten());
        }
        for (replica, since) in world.stack.replicas().zip(&mut since) {
            let name = format!(" {} ", replica.name);
            let uses =
                |is_standby| sessions.iter().any(|found| found.is_standby == is_standby && found.names.contains(&name));
            let is_wrong = uses(true) && !uses(false) && api.is_ready(replica.port).await;
            let began = *since.get_or_insert_with(Instant::now);
            if !is_wrong {
                *since = None;
            }
            let is_violated = is_wrong && began.elapsed() > NOTICED_WITHIN;
            world.seen.case(STANDBY, is_violated.then(|| format!("{} is ready on a standby", replica.name)));
        }
    }
}
