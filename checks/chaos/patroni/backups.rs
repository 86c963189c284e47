//! pgBackRest: a backup of the cluster, its archive, and its restore to a moment.

use std::process::{Command, Stdio};

use anyhow::ensure;
use tokio::task::block_in_place;

use super::{Node, Patroni, as_postgres, configure};
use crate::ground::Ground;

impl Patroni {
    /// Copies the leader's data while it works.
    pub(crate) async fn back_up(&self, ground: &Ground) -> anyhow::Result<()> {
        let leader = self.leader().await?;
        let mut command = as_postgres("pgbackrest", ground);
        command.args(["--stanza=clinic", "--start-fast", "--log-level-console=warn", "backup"]);
        leader.configure_backups(&mut command, ground);
        succeed(command.current_dir(&ground.directory))
    }

    /// Waits until the archive has everything that was written before.
    pub(crate) async fn archive(&self) -> anyhow::Result<()> {
        let last = self.sql("SELECT pg_walfile_name(pg_switch_wal())")?;
        let archived = format!("SELECT last_archived_wal >= '{last}' FROM pg_stat_archiver");
        let is_archived = async || self.sql(&archived).is_ok_and(|answer| answer == "t").then_some(());
        self.until("the write-ahead log is not archived", is_archived).await
    }

    /// Loses all servers, and makes a new cluster as the old one was at the moment `target`.
    pub(crate) async fn restore(&self, ground: &Ground, target: &str) -> anyhow::Result<()> {
        self.nodes.iter().try_for_each(Node::lose)?;
        let endpoint = format!("--endpoints=http://127.0.0.1:{}", self.etcd_port);
        let mut forget = Command::new("etcdctl");
        succeed(forget.env("ETCDCTL_API", "3").args([&endpoint, "del", "--prefix", "/service/clinic/"]))?;
        let both = ground.directory.join("restore");
        configure(&both, ground, &["patroni/patroni.yaml", "patroni/restore.yaml"])?;
        self.nodes[0].boot_with(ground, &both, &[("RESTORE_TARGET", target)])?;
        self.leader().await?;
        self.nodes[1..].iter().try_for_each(|node| node.boot(ground))?;
        self.whole().await
    }
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let output = block_in_place(|| command.stdin(Stdio::null()).output())?;
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    ensure!(output.status.success(), "{command:?}: {text}");
    Ok(())
}
