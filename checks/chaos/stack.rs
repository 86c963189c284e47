//! Everything that runs: the services' processes, their databases, and the proxies between them.

mod dumps;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::ensure;
use clap::ValueEnum;
use fastrand::Rng;
use tokio::time::{Instant, sleep};

use crate::{
    api::Api,
    cluster::Cluster,
    ground::Ground,
    history,
    mistakes::Mistake,
    proxy::{DatabaseProxy, Finance, FinanceProxy, Lane},
    replica::{Program, Replica},
    store::Store,
};

/// A start on a busy machine, with a database that has just come back.
const READY_TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Replicas of each service on PostgreSQL: as many as it takes for two to meet.
const REPLICAS: usize = 2;

/// Clocks of the database go a year ahead and back: a finish without an end date then comes a year after the start.
/// The campaign is about what becomes of such finishes, so none of them is refused for it.
const LONGEST: &str = "3years";

/// On which database a campaign runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// One server.
    Postgres,
    /// A primary and a synchronous standby.
    Failover,
    Sqlite,
}

impl Backend {
    pub(crate) fn is_postgres(self) -> bool {
        self != Self::Sqlite
    }
}

/// What runs, and where its logs are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Services {
    /// The directory of the programs; where cargo built them unless given.
    pub(crate) programs: Option<PathBuf>,
    /// Logs are removed at the end unless given.
    pub(crate) logs: Option<PathBuf>,
    /// The seeded mistake of the services.
    pub(crate) mistake: Option<&'static Mistake>,
}

pub(crate) struct Stack {
    pub(crate) consultation: Vec<Replica>,
    pub(crate) finance: Vec<Replica>,
    /// One for each relay, in the order of the replicas.
    pub(crate) finance_proxies: Vec<Arc<FinanceProxy>>,
    /// PostgreSQL and the way to it, unless the database is SQLite.
    pub(crate) postgres: Option<Postgres>,
    pub(crate) consultation_store: Store,
    pub(crate) finance_store: Store,
    services: Services,
    /// Last: it goes when everything that stands on it has gone.
    pub(crate) ground: Ground,
}

pub(crate) struct Postgres {
    pub(crate) cluster: Cluster,
    pub(crate) proxy: Arc<DatabaseProxy>,
}

impl Stack {
    /// Prepares everything; the replicas are started by whoever keeps them.
    pub(crate) async fn start(backend: Backend, services: &Services, random: &mut Rng) -> anyhow::Result<Self> {
        let ground = Ground::prepare(backend, services.logs.as_deref())?;
        let postgres =
            if backend.is_postgres() { Some(Postgres::start(backend, &ground, random).await?) } else { None };
        let url = |name: &str, lane: Lane| url(postgres.as_ref(), &ground, name, lane);
        let replicas = if backend.is_postgres() { REPLICAS } else { 1 };
        let replica = |program, number, lane, own| {
            let numbered = Program { name: program, number };
            Replica::new(numbered, url(program, lane), own, services, &ground.logs)
        };
        let finance: Vec<_> =
            (1..=replicas).map(|number| replica("finance", number, Lane::Finance, Vec::new())).collect();
        let (mut finance_proxies, mut consultation) = (Vec::new(), Vec::new());
        for number in 1..=replicas {
            let finance_proxy =
                FinanceProxy::open(finance.iter().map(|replica| replica.port).collect(), random.fork()).await?;
            let finance_url = format!("http://127.0.0.1:{}/graphql", finance_proxy.port);
            let own = vec![("FINANCE_URL", finance_url), ("LONGEST", LONGEST.to_owned())];
            consultation.push(replica("consultation", number, Lane::Consultation, own));
            finance_proxies.push(finance_proxy);
        }
        finance[0].migrate()?;
        consultation[0].migrate()?;
        let consultation_store = Store::connect(&url("consultation", Lane::Checker)).await?;
        let finance_store = Store::connect(&url("finance", Lane::Checker)).await?;
        history::begin(&consultation_store).await?;
        if let Some(guard) = services.mistake.and_then(Mistake::guard) {
            finance_store.run(guard).await?;
        }
        let services = services.clone();
        let stack = Self {
            consultation,
            finance,
            finance_proxies,
            postgres,
            consultation_store,
            finance_store,
            services,
            ground,
        };
        Ok(stack)
    }

    /// One with an empty database of its own, and the URL by which the checker reads that.
    pub(crate) fn another_finance(&self) -> anyhow::Result<(Replica, String)> {
        const DATABASE: &str = "another_finance";
        if let Some(Postgres { cluster, .. }) = &self.postgres {
            // It may be there from an earlier time.
            cluster.psql(cluster.primary(), &format!("DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"));
            ensure!(cluster.psql(cluster.primary(), &format!("CREATE DATABASE {DATABASE}")).is_some(), "no database");
        }
        let url = |lane| url(self.postgres.as_ref(), &self.ground, DATABASE, lane);
        let program = Program { name: "finance", number: REPLICAS + 1 };
        let replica = Replica::new(program, url(Lane::Finance), Vec::new(), &self.services, &self.ground.logs);
        Ok((replica, url(Lane::Checker)))
    }

    pub(crate) fn replicas(&self) -> impl Iterator<Item = &Replica> {
        self.consultation.iter().chain(&self.finance)
    }

    pub(crate) fn set_finance(&self, finance: Finance) {
        self.finance_proxies.iter().for_each(|finance_proxy| finance_proxy.set(finance));
    }

    /// Waits until every replica is ready.
    pub(crate) async fn ready(&self, api: &Api) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_TIMEOUT;
        for replica in self.replicas() {
            while !api.is_ready(replica.port).await {
                ensure!(Instant::now() < deadline, "{} is not ready after {READY_TIMEOUT:?}", replica.name);
                sleep(POLL_INTERVAL).await;
            }
        }
        Ok(())
    }
}

fn url(postgres: Option<&Postgres>, ground: &Ground, database: &str, lane: Lane) -> String {
    match postgres {
        Some(Postgres { proxy, .. }) => format!("postgres://postgres@127.0.0.1:{}/{database}", proxy.port(lane)),
        None => format!("sqlite://{}/{database}.sqlite", ground.disk().display()),
    }
}

impl Postgres {
    async fn start(backend: Backend, ground: &Ground, random: &mut Rng) -> anyhow::Result<Self> {
        let cluster = Cluster::start(ground)?;
        let proxy = DatabaseProxy::start(cluster.primary().port, random.fork()).await?;
        for database in ["consultation", "finance"] {
            let created = cluster.psql(cluster.primary(), &format!("CREATE DATABASE {database}"));
            ensure!(created.is_some(), "no database {database}");
        }
        if backend == Backend::Failover {
            cluster.attach_standby().await?;
        }
        Ok(Self { cluster, proxy })
    }
}
