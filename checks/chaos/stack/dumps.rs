//! Dumps of a service's database, and databases restored from them.

use std::{fs, path::PathBuf};

use anyhow::ensure;
use tokio::task::block_in_place;

use super::{Lane, Postgres, Stack};
use crate::store::Store;

/// Suffixes of SQLite's files beside a database.
const SQLITE_SUFFIXES: [&str; 2] = ["-wal", "-shm"];

impl Stack {
    /// Dumps the database of the service with this name, as it is now.
    pub(crate) async fn dump(&self, name: &str) -> anyhow::Result<()> {
        let file = self.dump_of(name);
        if let Some(Postgres { cluster, .. }) = &self.postgres {
            let file = file.display().to_string();
            let dumped = block_in_place(|| cluster.run("pg_dump", &["-Fc", "-f", &file, name]));
            ensure!(dumped, "no dump of {name}");
            return Ok(());
        }
        let store = if name == "finance" { &self.finance_store } else { &self.consultation_store };
        store.run(&format!("VACUUM INTO '{}'", file.display())).await
    }

    /// Replaces the database by the dump. No replica may have it open.
    pub(crate) fn restore(&self, name: &str) -> anyhow::Result<()> {
        let file = self.dump_of(name).display().to_string();
        if let Some(Postgres { cluster, .. }) = &self.postgres {
            return block_in_place(|| {
                ensure!(cluster.run("dropdb", &["--force", name]), "{name} cannot be dropped");
                ensure!(cluster.run("createdb", &[name]), "{name} cannot be created");
                ensure!(cluster.run("pg_restore", &["-d", name, &file]), "{name} cannot be restored");
                Ok(())
            });
        }
        let database = self.ground.disk().join(format!("{name}.sqlite"));
        for beside in SQLITE_SUFFIXES {
            let beside = database.with_extension(format!("sqlite{beside}"));
            if beside.exists() {
                fs::remove_file(beside)?;
            }
        }
        // The file is replaced, not overwritten: sessions that still read the old one are not disturbed.
        fs::remove_file(&database)?;
        fs::copy(file, database)?;
        Ok(())
    }

    /// New connections of the checker to both databases.
    pub(crate) async fn stores(&self) -> anyhow::Result<(Store, Store)> {
        let url = |name| self.url(name, Lane::Checker);
        Ok((Store::connect(&url("consultation")).await?, Store::connect(&url("finance")).await?))
    }

    fn dump_of(&self, name: &str) -> PathBuf {
        self.ground.disk().join(format!("{name}.dump"))
    }
}
