//! PostgreSQL on three machines under Patroni, with one etcd, behind HAProxy. Servers and proxy run with the
//! configuration in `docker/high-availability`.

mod backups;
mod daemon;
mod node;
mod programs;
mod rest;
mod wire;

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::ensure;
use testkit::free_port;
use tokio::{
    task::block_in_place,
    time::{Instant, sleep},
};

use crate::ground::Ground;
use daemon::{Daemon, as_postgres};
pub(crate) use node::Node;
use programs::{configure, etcd, haproxy};
use rest::Rest;

/// One leader, its synchronous standby, and one that takes the standby's place.
pub(crate) const NODES: usize = 3;
/// User and password of everything that has a password.
const SUPERUSER: [&str; 2] = ["postgres", "pg123"];
/// Time for a first start, or for a server that was away to be a standby again, on a busy machine.
const WHOLE_WITHIN: Duration = Duration::from_secs(90);
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Delay between the servers in the checker's own test: some acknowledged commits die with the leader.
const LONG_WAY: Duration = Duration::from_millis(400);

#[derive(Debug)]
pub(crate) struct Patroni {
    pub(crate) nodes: Vec<Node>,
    rest: Rest,
    directory: PathBuf,
    programs: PathBuf,
    /// The port on which HAProxy leads to the leader.
    port: u16,
    is_asynchronous: bool,
    _haproxy: Daemon,
    etcd_port: u16,
    _etcd: Daemon,
}

impl Patroni {
    /// Starts everything and waits for two standbys. If `is_asynchronous`, no commit waits for a standby.
    pub(crate) async fn start(ground: &Ground, is_asynchronous: bool) -> anyhow::Result<Self> {
        let (port, etcd_port) = (free_port(), free_port());
        configure(&ground.patroni(), ground, &["patroni/patroni.yaml"])?;
        let etcd = etcd(ground, etcd_port)?;
        let mut nodes = Vec::new();
        for number in 1..=NODES {
            nodes.push(Node::new(ground, number, etcd_port).await?);
        }
        let haproxy = haproxy(ground, port, &nodes)?;
        let patroni = Self {
            nodes,
            rest: Rest::new()?,
            directory: ground.directory.clone(),
            programs: ground.programs.clone(),
            port,
            is_asynchronous,
            _haproxy: haproxy,
            etcd_port,
            _etcd: etcd,
        };
        let decided = async || patroni.rest.has_etcd(etcd_port).await.then_some(());
        patroni.until("etcd is not ready", decided).await?;
        patroni.nodes[0].boot(ground)?;
        patroni.leader().await?;
        if is_asynchronous {
            patroni.rest.change(&patroni.nodes[0], r#"{"synchronous_mode": false}"#).await?;
            patroni.nodes.iter().for_each(|node| node.lengthen(LONG_WAY));
        }
        patroni.nodes[1..].iter().try_for_each(|node| node.boot(ground))?;
        patroni.whole().await?;
        for database in ["consultation", "finance"] {
            patroni.sql(&format!("CREATE DATABASE {database}"))?;
        }
        Ok(patroni)
    }

    /// URL of a database, by way of HAProxy.
    pub(crate) fn url(&self, database: &str) -> String {
        url(self.port, database)
    }

    /// The leader, once there is one.
    pub(crate) async fn leader(&self) -> anyhow::Result<&Node> {
        self.until("there is no leader", async || self.rest.leader(&self.nodes, None).await).await
    }

    /// The leader, once it is another.
    pub(crate) async fn leader_other_than(&self, old: &Node) -> anyhow::Result<&Node> {
        self.until("no other leads", async || self.rest.leader(&self.nodes, Some(old)).await).await
    }

    /// The standby for which commits wait, once there is one other than `old`.
    pub(crate) async fn synchronous_standby(&self, old: Option<&Node>) -> anyhow::Result<&Node> {
        let find = async || {
            let leader = self.rest.leader(&self.nodes, None).await?;
            let members = self.rest.members(leader).await.ok()?;
            let standby = members.iter().find(|member| member.role == "sync_standby")?;
            let is_other = old.is_none_or(|old| old.name != standby.name);
            self.nodes.iter().find(|node| node.name == standby.name).filter(|_| is_other)
        };
        self.until("there is no synchronous standby", find).await
    }

    /// Waits until there are a leader and its standbys, one of them synchronous, and HAProxy leads to the leader.
    pub(crate) async fn whole(&self) -> anyhow::Result<()> {
        self.until("the servers are not one cluster", async || self.is_whole().await.then_some(())).await
    }

    async fn is_whole(&self) -> bool {
        let Some(leader) = self.rest.leader(&self.nodes, None).await else { return false };
        let Ok(members) = self.rest.members(leader).await else { return false };
        let timeline = members.iter().find(|member| member.role == "leader").and_then(|member| member.timeline);
        let is_ready = |member: &rest::Member| member.is_running() && member.timeline == timeline;
        // Until then Patroni lets no other lead if the leader is lost.
        let has_successor = self.is_asynchronous || members.iter().any(|member| member.role == "sync_standby");
        members.len() == NODES && members.iter().all(is_ready) && has_successor && self.sql("SELECT 1").is_ok()
    }

    /// Hands the lead over to the synchronous standby.
    pub(crate) async fn switch_over(&self) -> anyhow::Result<()> {
        let (leader, candidate) = (self.leader().await?, self.synchronous_standby(None).await?);
        self.rest.switch_over(leader, candidate).await
    }

    async fn until<T>(&self, not_yet: &str, find: impl AsyncFn() -> Option<T>) -> anyhow::Result<T> {
        let deadline = Instant::now() + WHOLE_WITHIN;
        loop {
            if let Some(found) = find().await {
                return Ok(found);
            }
            ensure!(Instant::now() < deadline, "{not_yet} after {WHOLE_WITHIN:?}");
            sleep(POLL_INTERVAL).await;
        }
    }

    /// The answer to a statement, by way of HAProxy.
    pub(crate) fn sql(&self, sql: &str) -> anyhow::Result<String> {
        let mut command = Command::new(self.programs.join("psql"));
        command.args([&self.url("postgres"), "-AtXqc", sql]).current_dir(&self.directory);
        let output = block_in_place(|| command.stdin(Stdio::null()).output())?;
        ensure!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

fn url(port: u16, database: &str) -> String {
    let [user, password] = SUPERUSER;
    format!("postgres://{user}:{password}@127.0.0.1:{port}/{database}")
}
