//! The processes of a campaign: services, databases, and the proxies between them.

mod backend;
mod dumps;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::ensure;
use fastrand::Rng;
use tokio::time::{Instant, sleep};

pub(crate) use backend::Backend;

use crate::{
    api::Api,
    cluster::Cluster,
    ground::Ground,
    history,
    mistakes::Mistake,
    patroni::Patroni,
    proxy::{DatabaseProxy, Finance, FinanceProxy, Lane},
    replica::{Program, Replica},
    store::Store,
};

/// Limit for a start on a busy machine, with a database that has just recovered.
const START_TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Replicas of each service on PostgreSQL: enough for races.
const REPLICAS: usize = 2;

/// The longest consultation. The database's clock jumps by a year, so a finish without an end date may come a year
/// after the start. Such finishes must not be refused: the campaign checks their outcome.
const LONGEST: &str = "3years";
/// A database's clock that is a year ahead would let delivered rows leave, which the checker counts.
const RETENTION: &str = "never";

/// The programs of a campaign and their logs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Services {
    /// Directory of the programs; by default where cargo built them.
    pub(crate) programs: Option<PathBuf>,
    /// Directory for the logs; by default they are removed at the end.
    pub(crate) logs: Option<PathBuf>,
    /// The seeded mistake of the services.
    pub(crate) mistake: Option<&'static Mistake>,
}

pub(crate) struct Stack {
    pub(crate) consultation: Vec<Replica>,
    pub(crate) finance: Vec<Replica>,
    /// One for each relay, in the order of consultation's replicas.
    pub(crate) finance_proxies: Vec<Arc<FinanceProxy>>,
    /// PostgreSQL and its proxy; `None` with SQLite and with Patroni.
    pub(crate) postgres: Option<Postgres>,
    /// PostgreSQL under Patroni; `None` with the others.
    pub(crate) patroni: Option<Patroni>,
    pub(crate) consultation_store: Store,
    pub(crate) finance_store: Store,
    services: Services,
    /// The last field: dropped when no process uses it any more.
    pub(crate) ground: Ground,
}

pub(crate) struct Postgres {
    pub(crate) cluster: Cluster,
    pub(crate) proxy: Arc<DatabaseProxy>,
}

impl Stack {
    /// Prepares everything. The replicas are started by [`crate::campaign::keep`].
    pub(crate) async fn start(backend: Backend, services: &Services, random: &mut Rng) -> anyhow::Result<Self> {
        let ground = Ground::prepare(backend, services.logs.as_deref())?;
        let is_asynchronous = services.mistake.is_some_and(Mistake::is_asynchronous);
        let (postgres, patroni) = match backend {
            Backend::Sqlite => (None, None),
            Backend::PostgresHa => (None, Some(Patroni::start(&ground, is_asynchronous).await?)),
            Backend::Postgres | Backend::Failover => (Some(Postgres::start(backend, &ground, random).await?), None),
        };
        let url = |name: &str, lane: Lane| url(postgres.as_ref(), patroni.as_ref(), &ground, name, lane);
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
            let limits = [("LONGEST", LONGEST), ("RETENTION", RETENTION)].map(|(name, value)| (name, value.to_owned()));
            let own = [("FINANCE_URL", finance_url)].into_iter().chain(limits).collect();
            consultation.push(replica("consultation", number, Lane::Consultation, own));
            finance_proxies.push(finance_proxy);
        }
        finance[0].migrate()?;
        consultation[0].migrate()?;
        let consultation_store = Store::connect(&url("consultation", Lane::Checker)).await?;
        let finance_store = Store::connect(&url("finance", Lane::Checker)).await?;
        history::begin(&consultation_store).await?;
        if let Some((service, unguard)) = services.mistake.and_then(|mistake| mistake.unguard) {
            let store = if service == "finance" { &finance_store } else { &consultation_store };
            store.run(unguard).await?;
        }
        let services = services.clone();
        let stack = Self {
            consultation,
            finance,
            finance_proxies,
            postgres,
            patroni,
            consultation_store,
            finance_store,
            services,
            ground,
        };
        Ok(stack)
    }

    /// A finance with an empty database of its own, and the checker's URL of that database.
    pub(crate) fn another_finance(&self) -> anyhow::Result<(Replica, String)> {
        const DATABASE: &str = "another_finance";
        if let Some(Postgres { cluster, .. }) = &self.postgres {
            // It is there if the fault was injected before.
            cluster.psql(cluster.primary(), &format!("DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"));
            ensure!(cluster.psql(cluster.primary(), &format!("CREATE DATABASE {DATABASE}")).is_some(), "no database");
        }
        let url = |lane| self.url(DATABASE, lane);
        let program = Program { name: "finance", number: REPLICAS + 1 };
        let replica = Replica::new(program, url(Lane::Finance), Vec::new(), &self.services, &self.ground.logs);
        Ok((replica, url(Lane::Checker)))
    }

    fn url(&self, database: &str, lane: Lane) -> String {
        url(self.postgres.as_ref(), self.patroni.as_ref(), &self.ground, database, lane)
    }

    pub(crate) fn replicas(&self) -> impl Iterator<Item = &Replica> {
        self.consultation.iter().chain(&self.finance)
    }

    pub(crate) fn set_finance(&self, finance: Finance) {
        self.finance_proxies.iter().for_each(|finance_proxy| finance_proxy.set(finance));
    }

    /// Waits until every replica is ready.
    pub(crate) async fn ready(&self, api: &Api) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        for replica in self.replicas() {
            while !api.is_ready(replica.port).await {
                ensure!(Instant::now() < deadline, "{} is not ready after {START_TIMEOUT:?}", replica.name);
                sleep(POLL_INTERVAL).await;
            }
        }
        Ok(())
    }
}

fn url(postgres: Option<&Postgres>, patroni: Option<&Patroni>, ground: &Ground, database: &str, lane: Lane) -> String {
    match (postgres, patroni) {
        (_, Some(patroni)) => patroni.url(database),
        (Some(Postgres { proxy, .. }), _) => format!("postgres://postgres@127.0.0.1:{}/{database}", proxy.port(lane)),
        (None, None) => format!("sqlite://{}/{database}.sqlite", ground.disk().display()),
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
