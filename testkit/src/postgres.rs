//! A PostgreSQL server for the test run: the one of `TEST_DATABASE_URL`, or a cluster of its own that
//! lives as long as the test process and is removed with it.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

/// Starts a cluster in a new directory on a Unix socket, prints the directory, and removes both when its
/// standard input ends, that is when the test process does, however it does. PostgreSQL refuses to run
/// as root, who becomes `postgres` then.
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
$as "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w start >"$dir/start.log" -o \
    "-k $dir -c listen_addresses='' -c fsync=off -c max_connections=400 -c shared_buffers=32MB"
echo "$dir"
read -r _ || true
"#;

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
        match start() {
            Ok((cluster, directory)) => {
                // Statics are not dropped; the cluster ends when this end of its pipe is closed by the system.
                std::mem::forget(cluster);
                Postgres::At(format!("postgres://postgres@localhost/postgres?host={directory}"))
            }
            // A run that must not skip says so; then the reason is an error.
            Err(why) if std::env::var_os("REQUIRE_POSTGRES").is_some() => panic!("no PostgreSQL: {why}"),
            Err(why) => Postgres::Missing(why),
        }
    })
}

fn start() -> Result<(Child, String), String> {
    let mut cluster = Command::new("sh")
        .args(["-c", CLUSTER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("sh: {error}"))?;
    let stdout = cluster.stdout.take().ok_or("no output")?;
    let mut directory = String::new();
    BufReader::new(stdout).read_line(&mut directory).map_err(|error| error.to_string())?;
    match directory.trim() {
        "" => Err("its programs (initdb, pg_ctl) are not installed, or do not start".to_owned()),
        directory => Ok((cluster, directory.to_owned())),
    }
}
