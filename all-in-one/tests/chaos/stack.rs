//! Everything that runs: the services' processes, their databases, and the proxies between them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::ensure;
use fastrand::Rng;
use testkit::{Backend, free_port};
use tokio::time::{Instant, sleep};

use crate::{
    api::Api,
    history,
    postgres::Ground,
    proxy::{DatabaseProxy, Door, Finance},
    replica::Replica,
    store::Store,
};

/// A start on a busy machine, with a database that has just come back.
const READY_WITHIN: Duration = Duration::from_secs(30);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// Replicas of each service on PostgreSQL: as many as it takes for two to meet.
const REPLICAS: usize = 2;

pub(crate) struct Stack {
    pub(crate) consultation: Vec<Replica>,
    pub(crate) finance: Vec<Replica>,
    /// One for each relay, in the order of the replicas.
    pub(crate) doors: Vec<Arc<Door>>,
    pub(crate) database_proxy: Option<Arc<DatabaseProxy>>,
    pub(crate) consultation_store: Store,
    pub(crate) finance_store: Store,
    /// Last: it goes when everything that stands on it has gone.
    pub(crate) ground: Ground,
}

impl Stack {
    /// Starts everything and waits until it is ready.
    pub(crate) async fn start(backend: Backend, bug: Option<&str>, random: &mut Rng) -> anyhow::Result<Self> {
        let server = (backend == Backend::Postgres).then(free_port);
        let ground = Ground::prepare(server)?;
        let database_proxy = match server {
            Some(port) => Some(DatabaseProxy::start(port, random.fork()).await?),
            None => None,
        };
        let url = |name: &str, port: Option<u16>| match port {
            Some(port) => format!("postgres://postgres@127.0.0.1:{port}/{name}"),
            None => format!("sqlite://{}/{name}.sqlite", ground.disk().display()),
        };
        if server.is_some() {
            let admin = Store::connect(&url("postgres", server)).await?;
            admin.run("CREATE DATABASE consultation").await?;
            admin.run("CREATE DATABASE finance").await?;
        }
        let through = database_proxy.as_ref().map(|proxy| proxy.port);
        let replicas = if server.is_some() { REPLICAS } else { 1 };
        let finance: Vec<_> = (1..=replicas)
            .map(|number| replica("finance", number, url("finance", through), Vec::new(), bug, &ground))
            .collect();
        let (mut doors, mut consultation) = (Vec::new(), Vec::new());
        for number in 1..=replicas {
            let door = Door::open(finance.iter().map(|replica| replica.port).collect(), random.fork()).await?;
            let settings = vec![("FINANCE_URL", format!("http://127.0.0.1:{}/graphql", door.port))];
            consultation.push(replica("consultation", number, url("consultation", through), settings, bug, &ground));
            doors.push(door);
        }
        finance[0].migrate()?;
        consultation[0].migrate()?;
        let consultation_store = Store::connect(&url("consultation", server)).await?;
        let finance_store = Store::connect(&url("finance", server)).await?;
        history::begin(&consultation_store).await?;
        Ok(Self { consultation, finance, doors, database_proxy, consultation_store, finance_store, ground })
    }

    pub(crate) fn replicas(&self) -> impl Iterator<Item = &Replica> {
        self.consultation.iter().chain(&self.finance)
    }

    pub(crate) fn set_finance(&self, finance: Finance) {
        self.doors.iter().for_each(|door| door.set(finance));
    }

    /// Waits until every replica is ready.
    pub(crate) async fn ready(&self, api: &Api) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        for replica in self.replicas() {
            while !api.is_ready(replica.port).await {
                ensure!(Instant::now() < deadline, "{} is not ready after {READY_WITHIN:?}", replica.name);
                sleep(ASK_AGAIN_AFTER).await;
            }
        }
        Ok(())
    }
}

fn replica(
    program: &'static str,
    number: usize,
    url: String,
    own: Vec<(&str, String)>,
    bug: Option<&str>,
    ground: &Ground,
) -> Replica {
    let (port, prefix) = (free_port(), program.to_uppercase());
    let mut settings = vec![(format!("{prefix}_BIND"), format!("127.0.0.1:{port}"))];
    settings.extend(own.into_iter().map(|(name, value)| (format!("{prefix}_{name}"), value)));
    settings.extend(bug.map(|bug| ("SEEDED_BUG".to_owned(), bug.to_owned())));
    Replica {
        name: format!("{program}-{number}"),
        program,
        port,
        settings,
        database: (format!("{prefix}_DATABASE_URL"), url),
        logs: ground.logs(),
        state: Mutex::default(),
    }
}
