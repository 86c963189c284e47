//! PostgreSQL server of the test run: that of `TEST_DATABASE_URL`, or a temporary cluster that is removed with the test
//! process.

mod own;

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

pub use own::{Hanging, OwnServer};

/// Starts a cluster in a new directory, as a standby of the server of its second argument if there is one, prints the directory and the directory of the programs, and removes the cluster
/// when its standard input ends. That happens whenever the starting process ends, in any way. PostgreSQL refuses to run
/// as root, so root becomes `postgres` first.
const CLUSTER: &str = r#"
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin /usr/local/pgsql/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb)")
dir=$(mktemp -d "${TMPDIR:-/tmp}/testkit-postgres.XXXXXX")
as=""
if [ "$(id -u)" = 0 ]; then chown postgres "$dir"; as="runuser -u postgres --"; fi
trap '$as "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1; rm -rf "$dir"' EXIT
cd "$dir"
if [ -n "${2:-}" ]; then
    $as "$bin/pg_basebackup" -D "$dir/data" -d "$2" -R -X stream -c fast --no-sync >"$dir/log"
else
    $as "$bin/initdb" -D "$dir/data" -U postgres -A trust --no-sync >"$dir/log"
fi
$as "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w start >"$dir/start.log" -o "-k $dir $1"
echo "$dir $bin"
read -r _ || true
"#;

/// On a Unix socket only, and without syncs: test processes are killed, the machine is not.
const TEST_OPTIONS: &str = "-c listen_addresses='' -c fsync=off -c max_connections=400 -c shared_buffers=32MB";

/// A cluster. It is removed when it is dropped. A forgotten one is removed when the process ends.
#[derive(Debug)]
pub struct Cluster {
    holder: Child,
    /// Directory of the cluster and its Unix socket; the data are in `data`.
    pub directory: PathBuf,
    /// Directory of psql, pgbench and the other programs.
    pub programs: PathBuf,
}

impl Cluster {
    /// Starts a cluster with these options of `postgres`.
    ///
    /// # Errors
    /// When PostgreSQL's programs are missing or do not start.
    pub fn start(options: &str) -> Result<Self, String> {
        Self::run(&[options])
    }

    fn run(arguments: &[&str]) -> Result<Self, String> {
        let mut command = Command::new("sh");
        command.args(["-c", CLUSTER, "cluster"]).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        // A process group of its own: Ctrl-C must not end it before the removal.
        let holder = command.stderr(Stdio::null()).process_group(0).spawn();
        let mut holder = holder.map_err(|error| format!("sh: {error}"))?;
        let stdout = holder.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).map_err(|error| error.to_string())?;
        match line.trim().split_once(' ') {
            None => Err("its programs (initdb, pg_ctl) are not installed, or do not start".to_owned()),
            Some((directory, programs)) => Ok(Self { holder, directory: directory.into(), programs: programs.into() }),
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

/// Availability of PostgreSQL.
#[derive(Clone, Debug)]
pub enum Postgres {
    /// URL of the server, without the database's name.
    At(String),
    /// Reason for its absence.
    Missing(String),
}

/// The server of this test process.
pub fn postgres() -> &'static Postgres {
    static POSTGRES: OnceLock<Postgres> = OnceLock::new();
    POSTGRES.get_or_init(|| {
        if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
            return Postgres::At(url);
        }
        match Cluster::start(TEST_OPTIONS) {
            Ok(cluster) => {
                let url = format!("postgres://postgres@localhost/postgres?host={}", cluster.directory.display());
                // Statics are not dropped; the cluster ends when the system closes this end of its pipe.
                std::mem::forget(cluster);
                Postgres::At(url)
            }
            // With REQUIRE_POSTGRES a missing server is an error.
            Err(why) if std::env::var_os("REQUIRE_POSTGRES").is_some() => panic!("no PostgreSQL: {why}"),
            Err(why) => Postgres::Missing(why),
        }
    })
}
