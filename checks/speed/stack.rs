//! The processes of a measurement: a PostgreSQL cluster, both services, and a database of the same schema for pgbench.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, anyhow, ensure};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, Statement, TryGetable};
use testkit::{Cluster, free_port};
use tokio::time::{Instant, sleep};

use crate::{prepared, service::Services, token::Token};

/// Durable, with the settings of a real installation. Each run begins with a checkpoint, and none is triggered by size.
pub(crate) const SETTINGS: &str =
    "-c shared_buffers=1GB -c max_wal_size=8GB -c checkpoint_timeout=30min -c max_connections=300";
/// Limit for the delivery of a run's finishes.
const DELIVERY_TIMEOUT: Duration = Duration::from_mins(2);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

pub(crate) struct Stack {
    pub(crate) services: Services,
    /// Accepted by the services, beside the development user.
    pub(crate) token: Token,
    pub(crate) port: u16,
    /// The services' databases, and pgbench's with the tables of both
    pub(crate) consultation_database: DatabaseConnection,
    pub(crate) finance_database: DatabaseConnection,
    pub(crate) plain_database: DatabaseConnection,
    /// The last field: dropped, with its directory, when no process uses it any more.
    pub(crate) cluster: Cluster,
}

impl Stack {
    /// Starts everything and waits until it is ready.
    pub(crate) async fn start(programs: &Path) -> anyhow::Result<Self> {
        let port = free_port();
        let options = format!("-p {port} -c listen_addresses=127.0.0.1 {SETTINGS}");
        let cluster = Cluster::start(&options).map_err(|why| anyhow!("no PostgreSQL: {why}"))?;
        let admin = connect(&url(port, "postgres")).await?;
        for name in ["consultation", "finance", "plain"] {
            admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
        }
        let token = Token::issue(&cluster.directory)?;
        let mut services = Services::new(programs, |name| url(port, name), &cluster.directory).accepting(&token);
        services.migrate(Some(&url(port, "plain")))?;
        services.start().await?;
        let consultation_database = connect(&url(port, "consultation")).await?;
        let finance_database = connect(&url(port, "finance")).await?;
        let plain_database = connect(&url(port, "plain")).await?;
        prepared::first_days(&consultation_database, &finance_database).await?;
        prepared::first_days(&plain_database, &plain_database).await?;
        Ok(Self { services, token, port, consultation_database, finance_database, plain_database, cluster })
    }

    /// The process id of the postmaster, the parent of PostgreSQL's processes.
    pub(crate) fn postmaster(&self) -> anyhow::Result<u32> {
        let file = fs::read_to_string(self.cluster.directory.join("data/postmaster.pid"))?;
        Ok(file.lines().next().context("no pid")?.trim().parse()?)
    }

    /// Makes a checkpoint, so that all runs begin alike.
    pub(crate) async fn checkpoint(&self) -> anyhow::Result<()> {
        self.plain_database.execute_unprepared("CHECKPOINT").await?;
        Ok(())
    }
}

/// `postgres://` of a database of the cluster.
pub(crate) fn url(port: u16, database: &str) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/{database}")
}

/// One session without time limits.
pub(crate) async fn connect(url: &str) -> anyhow::Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Ok(sea_orm::Database::connect(options).await?)
}

/// Waits until finance has confirmed all payments of a consultation database.
pub(crate) async fn delivered(database: &impl ConnectionTrait) -> anyhow::Result<()> {
    let begin = Instant::now();
    while number(database, "SELECT count(*) FROM pending_payment WHERE NOT finished").await? > 0 {
        ensure!(begin.elapsed() < DELIVERY_TIMEOUT, "not delivered after {DELIVERY_TIMEOUT:?}");
        sleep(POLL_INTERVAL).await;
    }
    Ok(())
}

/// The result of a query for one number.
pub(crate) async fn number(database: &impl ConnectionTrait, sql: &str) -> anyhow::Result<i64> {
    one(database, sql).await
}

/// The result of a query for one real number.
pub(crate) async fn real(database: &impl ConnectionTrait, sql: &str) -> anyhow::Result<f64> {
    one(database, sql).await
}

/// The result of a query for one text.
pub(crate) async fn text(database: &impl ConnectionTrait, sql: &str) -> anyhow::Result<String> {
    one(database, sql).await
}

async fn one<T: TryGetable>(database: &impl ConnectionTrait, sql: &str) -> anyhow::Result<T> {
    let row = database.query_one_raw(Statement::from_string(database.get_database_backend(), sql)).await?;
    Ok(row.context("no row")?.try_get_by_index(0)?)
}
