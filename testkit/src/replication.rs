//! A PostgreSQL cluster of two servers: a primary, and a standby that follows it.

use std::process::Command;

use chassis::database::ReadReplica;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sea_orm::ConnectionTrait;
use tokio::{
    task::spawn_blocking,
    time::{Duration, Instant, sleep},
};

use crate::{Cluster, TestDatabase, free_port};

/// As for the cluster of other tests. On a Unix socket a port is a part of the file's name.
const OPTIONS: &str = "-c listen_addresses='' -c fsync=off -c shared_buffers=32MB";
/// Copies the primary and starts the copy as its standby. PostgreSQL refuses to run as root.
const STANDBY: &str = r#"
set -eu
programs=$1 dir=$2 primary=$3 standby=$4 options=$5 do=$6
as=""
if [ "$(id -u)" = 0 ]; then as="runuser -u postgres --"; fi
cd "$dir"
if [ "$do" = copy ]; then
    $as "$programs/pg_basebackup" -D "$dir/standby" -d "host=$dir port=$primary user=postgres" -R -X stream -c fast --no-sync
    do="-w start"
fi
$as "$programs/pg_ctl" -D "$dir/standby" -l "$dir/standby.log" -o "-k $dir -p $standby $options" $do
"#;
const ATTACHED_WITHIN: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Both servers. They are removed when it is dropped.
#[derive(Debug)]
pub struct Replication {
    cluster: Cluster,
    ports: (u16, u16),
}

impl Replication {
    /// Starts a primary with an empty database and a standby that streams from it. `None` without PostgreSQL's programs.
    ///
    /// # Panics
    /// When they are missing and `REQUIRE_POSTGRES` is set, or the standby does not start.
    pub async fn start() -> Option<Self> {
        let ports = (free_port(), free_port());
        let options = format!("-p {} {OPTIONS}", ports.0);
        let cluster = match spawn_blocking(move || Cluster::start(&options)).await.expect("no panic") {
            Ok(cluster) => cluster,
            Err(why) if std::env::var_os("REQUIRE_POSTGRES").is_some() => panic!("no PostgreSQL: {why}"),
            Err(_) => return None,
        };
        let this = Self { cluster, ports };
        this.pg_ctl("copy").await;
        this.until_attached().await;
        Some(this)
    }

    /// The database of the primary.
    pub async fn database(&self) -> TestDatabase {
        TestDatabase::at(self.url(self.ports.0)).await
    }

    /// The standby as a replica for reads.
    #[must_use]
    pub fn replica(&self, max_staleness: Duration) -> ReadReplica {
        ReadReplica { url: self.url(self.ports.1).into(), max_staleness }
    }

    /// Executes a statement on the standby, such as `SELECT pg_wal_replay_pause()`.
    pub async fn on_standby(&self, sql: &str) {
        let connection = sea_orm::Database::connect(self.url(self.ports.1)).await.expect("the standby answers");
        connection.execute_unprepared(sql).await.expect("executed");
        connection.close().await.expect("closed");
    }

    /// Kills the standby, as a crash would.
    pub async fn kill_standby(&self) {
        self.pg_ctl("-m immediate -w stop").await;
    }

    /// Starts the standby again.
    pub async fn restart_standby(&self) {
        self.pg_ctl("-w start").await;
    }

    /// Promotes the standby. The primary runs on beside it.
    pub async fn promote_standby(&self) {
        self.pg_ctl("-w promote").await;
    }

    /// Process ids of both postmasters: of the primary and of the standby.
    #[must_use]
    pub fn postmasters(&self) -> [u32; 2] {
        ["data", "standby"].map(|data| {
            let file = std::fs::read_to_string(self.cluster.directory.join(data).join("postmaster.pid"));
            file.ok().as_deref().and_then(postmaster).expect("it runs")
        })
    }

    fn url(&self, port: u16) -> String {
        format!("postgres://postgres@localhost:{port}/postgres?host={}", self.cluster.directory.display())
    }

    async fn pg_ctl(&self, action: &str) {
        let mut command = Command::new("sh");
        command.args(["-c", STANDBY, "standby"]).arg(&self.cluster.programs).arg(&self.cluster.directory);
        command.args([self.ports.0.to_string(), self.ports.1.to_string()]).args([OPTIONS, action]);
        let output = spawn_blocking(move || command.output()).await.expect("no panic").expect("a shell");
        assert!(output.status.success(), "{action}: {}", String::from_utf8_lossy(&output.stderr));
    }

    async fn until_attached(&self) {
        let deadline = Instant::now() + ATTACHED_WITHIN;
        let primary = sea_orm::Database::connect(self.url(self.ports.0)).await.expect("the primary answers");
        let streaming = "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'";
        while primary.execute_unprepared(streaming).await.expect("executed").rows_affected() == 0 {
            assert!(Instant::now() < deadline, "no standby after {ATTACHED_WITHIN:?}");
            sleep(POLL_INTERVAL).await;
        }
        primary.close().await.expect("closed");
    }
}

impl Drop for Replication {
    fn drop(&mut self) {
        // It may be down. The directory goes with the cluster.
        let file = std::fs::read_to_string(self.cluster.directory.join("standby/postmaster.pid"));
        if let Some(pid) = file.ok().as_deref().and_then(postmaster) {
            let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGQUIT);
        }
    }
}

/// The process id in the file of a running server.
fn postmaster(file: &str) -> Option<u32> {
    file.lines().next()?.trim().parse().ok()
}
