//! The programs beside the servers, and the configuration that operators use too.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde_json::json;
use testkit::free_port;

use super::{
    Node,
    daemon::{Daemon, session},
};
use crate::ground::Ground;

/// Where the lease of the leader is. One is enough: here no machine of it dies.
pub(super) fn etcd(ground: &Ground, port: u16) -> anyhow::Result<Daemon> {
    let [clients, peers] = [port, free_port()].map(|port| format!("http://127.0.0.1:{port}"));
    // On the disk that is memory: a slow one would let it lose its leader.
    let data = ground.disk().join("etcd");
    let mut command = session("etcd");
    command.args(["--name", "etcd", "--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
    command.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
    command.args(["--initial-cluster", &format!("etcd={peers}"), "--data-dir"]).arg(data);
    Daemon::start("etcd", command, ground)
}

/// The address of the leader.
pub(super) fn haproxy(ground: &Ground, port: u16, nodes: &[Node]) -> anyhow::Result<Daemon> {
    // Debian has it outside the path of ordinary users.
    let mut command = session("/usr/sbin/haproxy");
    command.arg("-f").arg(configuration("haproxy/database.cfg")).env("DATABASE_BIND", format!("127.0.0.1:{port}"));
    for (number, node) in (1..).zip(nodes) {
        command.env(format!("POSTGRES_{number}"), format!("127.0.0.1:{}", node.port_for_clients()));
        command.env(format!("PATRONI_PORT_{number}"), node.port_for_checks().to_string());
    }
    Daemon::start("haproxy", command, ground)
}

/// Makes a directory with files that operators use, and what is different here.
pub(super) fn configure(directory: &Path, ground: &Ground, files: &[&str]) -> anyhow::Result<()> {
    fs::create_dir(directory)?;
    for file in files {
        let file = configuration(file);
        fs::copy(&file, directory.join(file.file_name().context("a name")?))?;
    }
    let sockets = ground.disk().display().to_string();
    // A debug build hashes a password so slowly that after a failover the new connections of all services take the
    // processors from Patroni for seconds. The files' own rules are for passwords.
    let trust = ["local all all trust", "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"];
    let here = json!({ "parameters": { "unix_socket_directories": sockets }, "pg_hba": trust });
    // JSON is YAML. Patroni reads the files in the order of their names.
    Ok(fs::write(directory.join("zz-here.yaml"), json!({ "postgresql": here }).to_string())?)
}

/// A file of those that operators use.
fn configuration(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docker/high-availability").join(file)
}
