//! The directory of a campaign, with a small disk that can be full and PostgreSQL's data on it. A shell holds them, and
//! removes them however this process ends.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, ensure};

use crate::stack::Backend;

/// Room for a server, its write-ahead log, and 20,000 consultations with their history; small enough to fill quickly.
const DISK_SIZE: &str = "600m";
/// Room for two servers. No fault fills this one.
const DISK_SIZE_OF_TWO: &str = "1600m";
/// Room for three servers, a backup and the archive.
const DISK_SIZE_OF_THREE: &str = "4g";
/// Written at a time to fill the disk.
static FILLING: [u8; 64 * 1024] = [0; 64 * 1024];

/// fsync is off: the processes are killed, the machine is not.
const HOLDER: &str = r#"
set -eu
initialise=$1 logs=$3
dir=$(mktemp -d "${TMPDIR:-/tmp}/chaos.XXXXXX")
as="" mounted=no bin=-
chmod 755 "$dir"
mkdir "$dir/disk" "$dir/logs" "$dir/pids"
[ -n "$logs" ] || logs=$dir/logs
end() {
    for file in "$dir"/pids/*; do
        [ ! -f "$file" ] || kill -KILL "$(cat "$file")" 2>/dev/null || true
    done
    for data in "$dir"/disk/server-*; do
        [ -f "$data/postmaster.pid" ] || continue
        server=$(head -n 1 "$data/postmaster.pid")
        # A fault may have stopped it.
        kill -CONT $(cat "/proc/$server/task/$server/children" 2>/dev/null) "$server" 2>/dev/null || true
        $as "$bin/pg_ctl" -D "$data" -m immediate stop >/dev/null 2>&1
    done
    [ $mounted = no ] || umount -l "$dir/disk"
    rm -rf "$dir"
}
trap end EXIT
cd "$dir"
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o "size=$2,mode=755" chaos "$dir/disk" 2>/dev/null; then mounted=yes; fi
if [ "$initialise" != no ]; then
    bin=$(ls -d /usr/lib/postgresql/*/bin /usr/local/pgsql/bin 2>/dev/null | sort -V | tail -n 1)
    [ -n "$bin" ] || bin=$(dirname "$(command -v initdb)")
    if [ "$(id -u)" = 0 ]; then chown postgres "$dir/disk" "$logs"; as="runuser -u postgres --"; fi
fi
if [ "$initialise" = server ]; then
    $as "$bin/initdb" -D "$dir/disk/server-1" -U postgres -A trust --no-sync >"$logs/initdb.log"
    cat >>"$dir/disk/server-1/postgresql.conf" <<END
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
max_connections = 150
shared_buffers = 32MB
max_wal_size = 64MB
min_wal_size = 32MB
log_line_prefix = '%m %a '
END
fi
echo "$dir $bin $mounted ${as:--}"
read -r _ || true
"#;

/// The directory and the disk of a campaign.
#[derive(Debug)]
pub(crate) struct Ground {
    holder: Child,
    pub(crate) directory: PathBuf,
    pub(crate) logs: PathBuf,
    /// Where PostgreSQL's programs are.
    pub(crate) programs: PathBuf,
    /// As root, servers run as `postgres`: PostgreSQL refuses root.
    pub(crate) is_root: bool,
    /// Whether the disk is a mount of its own, which only root can make.
    pub(crate) can_be_full: bool,
}

impl Ground {
    /// With an initialised server for PostgreSQL. Logs go to `logs`, or are removed with the rest.
    pub(crate) fn prepare(backend: Backend, logs: Option<&Path>) -> anyhow::Result<Self> {
        // Patroni initialises its servers itself.
        let (initialise, size) = match backend {
            Backend::Sqlite => ("no", DISK_SIZE),
            Backend::Postgres => ("server", DISK_SIZE),
            Backend::Failover => ("server", DISK_SIZE_OF_TWO),
            Backend::PostgresHa => ("programs", DISK_SIZE_OF_THREE),
        };
        let kept = logs.map(|logs| fs::create_dir_all(logs).and_then(|()| logs.canonicalize())).transpose()?;
        let mut command = Command::new("sh");
        command.args(["-c", HOLDER, "chaos", initialise, size]).arg(kept.as_deref().unwrap_or(Path::new("")));
        // A process group of its own: Ctrl-C must not end it before it has removed everything.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut holder = command.spawn().context("sh")?;
        let mut line = String::new();
        BufReader::new(holder.stdout.take().context("no output")?).read_line(&mut line)?;
        let words: Vec<_> = line.split_whitespace().collect();
        ensure!(words.len() >= 4, "no directory or no PostgreSQL: are initdb and pg_ctl installed?");
        let [directory, programs] = [words[0], words[1]].map(PathBuf::from);
        let logs = kept.unwrap_or_else(|| directory.join("logs"));
        let (is_root, can_be_full) = (words[3] != "-", words[2] == "yes");
        Ok(Self { holder, directory, logs, programs, is_root, can_be_full })
    }

    /// Directory of the data of services and PostgreSQL.
    pub(crate) fn disk(&self) -> PathBuf {
        self.directory.join("disk")
    }

    /// Directory of files with the number of a process, which end with this ground.
    pub(crate) fn pids(&self) -> PathBuf {
        self.directory.join("pids")
    }

    /// Directory of Patroni's configuration.
    pub(crate) fn patroni(&self) -> PathBuf {
        self.directory.join("patroni")
    }

    /// Fills the disk to the last byte.
    pub(crate) fn fill(&self) -> anyhow::Result<()> {
        let mut file = File::create(self.disk().join("filling"))?;
        while file.write_all(&FILLING).is_ok() {}
        Ok(())
    }

    /// Frees the disk.
    pub(crate) fn free(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.disk().join("filling"))?)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}
