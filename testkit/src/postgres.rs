//! A PostgreSQL server for the test run: the one of `TEST_DATABASE_URL`, or a cluster of its own that
//! lives as long as the test process and is removed with it.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

/// Starts a cluster in a new directory, prints the directory and where the programs are, and removes both
/// cluster and directory when its standard input ends, that is when whoever started it does, however it
/// does. PostgreSQL refuses to run as root, who becomes `postgres` then.
const CLUSTER: &str = r#"
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin /usr/local/pgsql/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb)")
dir=$(mktemp -d "${TMPDIR:-/tmp}/testkit-postgres.XXXXXX")
as=""
if [ "$(id -u)" = 0 ]; then chown postgres "$dir"; as="runuser -u postgres --"; fi
trap '$as "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1; rm -rf "$dir"' EXIT
cd "$dir"
$as "$bin/initdb" -D "$dir/data" -U postgres -A trust --no-sync >"$dir/log"
$as "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w start >"$dir/start.log" -o "-k $dir $1"
echo "$dir $bin"
read -r _ || true
"#;

/// On a Unix socket only, and fast: test processes are killed, the machine is not.
const FOR_TESTS: &str = "-c listen_addresses='' -c fsync=off -c max_connections=400 -c shared_buffers=32MB";

/// A cluster; it is removed when this is dropped, or forgotten and the process ends.
#[derive(Debug)]
pub struct Cluster {
    holder: Child,
    /// Where everything of it is, and its Unix socket; the data are in `data`.
    pub directory: PathBuf,
    /// Where psql, pgbench and so on are.
    pub programs: PathBuf,
}

impl Cluster {
    /// Starts one with these options of `postgres`.
    ///
    /// # Errors
    /// When PostgreSQL's programs are not installed, or do not start.
    pub fn start(options: &str) -> Result<Self, String> {
        let mut command = Command::new("sh");
        command.args(["-c", CLUSTER, "cluster", options]).stdin(Stdio::piped()).stdout(Stdio::piped());
        // A group of its own: Ctrl-C must not end it before it has removed everything.
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

/// Whether tests can use PostgreSQL.
#[derive(Clone, Debug)]
pub enum Postgres {
    /// With this URL, up to the name of the database.
    At(String),
    /// Not, and why.
    Missing(String),
}

/// The server of this test process.
pub fn postgres() -> &'static Postgres {
    static POSTGRES: OnceLock<Postgres> = OnceLock::new();
    POSTGRES.get_or_init(|| {
        if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
            return Postgres::At(url);
        }
        match Cluster::start(FOR_TESTS) {
            Ok(cluster) => {
                let url = format!("postgres://postgres@localhost/postgres?host={}", cluster.directory.display());
                // Statics are not dropped; the cluster ends when this end of its pipe is closed by the system.
                std::mem::forget(cluster);
                Postgres::At(url)
            }
            // A run that must not skip says so; then the reason is an error.
            Err(why) if std::env::var_os("REQUIRE_POSTGRES").is_some() => panic!("no PostgreSQL: {why}"),
            Err(why) => Postgres::Missing(why),
        }
    })
}
