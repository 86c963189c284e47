//! What differs between machines, as environment variables of Patroni and pgBackRest.

use std::{env, path::Path, process::Command};

use anyhow::ensure;

use super::{super::SUPERUSER, Node};
use crate::ground::Ground;

impl Node {
    /// What differs between machines.
    pub(super) fn configure(&self, command: &mut Command, ground: &Ground) {
        let address = |port: u16| format!("127.0.0.1:{port}");
        let [user, password] = SUPERUSER;
        for (name, value) in [
            ("NAME", self.name.clone()),
            ("RESTAPI_LISTEN", address(self.rest_port)),
            ("RESTAPI_CONNECT_ADDRESS", address(self.wires.rest.port)),
            ("RESTAPI_USERNAME", user.to_owned()),
            ("RESTAPI_PASSWORD", password.to_owned()),
            ("POSTGRESQL_LISTEN", address(self.port)),
            ("POSTGRESQL_CONNECT_ADDRESS", address(self.wires.members.port)),
            ("POSTGRESQL_DATA_DIR", self.data.display().to_string()),
            ("POSTGRESQL_BIN_DIR", ground.programs.display().to_string()),
            ("POSTGRESQL_PGPASS", ground.disk().join(format!("{}.pgpass", self.name)).display().to_string()),
            ("SUPERUSER_USERNAME", user.to_owned()),
            ("SUPERUSER_PASSWORD", password.to_owned()),
            ("REPLICATION_USERNAME", "replicator".to_owned()),
            ("REPLICATION_PASSWORD", password.to_owned()),
            ("ETCD3_HOSTS", address(self.wires.etcd.port)),
            // It does not ask etcd for other addresses, which would lead past the wire.
            ("ETCD3_USE_PROXIES", "true".to_owned()),
        ] {
            command.env(format!("PATRONI_{name}"), value);
        }
        self.configure_backups(command, ground);
    }

    /// pgBackRest's settings, for commands on this machine.
    pub(crate) fn configure_backups(&self, command: &mut Command, ground: &Ground) {
        let backups = ground.disk().join("backups");
        for (name, value) in [
            ("REPO1_PATH", backups.display().to_string()),
            ("LOCK_PATH", ground.disk().join(format!("{}.lock", self.name)).display().to_string()),
            ("LOG_LEVEL_FILE", "off".to_owned()),
            ("PG1_PATH", self.data.display().to_string()),
            ("PG1_SOCKET_PATH", ground.disk().display().to_string()),
            ("PG1_PORT", self.port.to_string()),
            ("PG1_USER", SUPERUSER[0].to_owned()),
        ] {
            command.env(format!("PGBACKREST_{name}"), value);
        }
    }
}

/// Where `.ci/install` puts Patroni. That of Debian 12, 3.0.2, lets a leader that hung take the lead back from the next
/// one, and so loses acknowledged commits (mended in 3.0.3).
pub(super) fn program() -> anyhow::Result<String> {
    let installed =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/ci/patroni/bin/patroni").display().to_string();
    let program = env::var("PATRONI").unwrap_or(installed);
    ensure!(Path::new(&program).exists(), "no {program}: .ci/install makes it; or set PATRONI to where it is");
    Ok(program)
}
