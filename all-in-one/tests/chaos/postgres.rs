//! Where a campaign lives: a directory, a small disk of its own that can be full, and a PostgreSQL
//! cluster on it. A shell holds them and removes them when this process ends, however it does.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, ensure};

/// Room for a cluster with its write-ahead log and 20,000 consultations with their history, and soon full.
const DISK_SIZE: &str = "600m";
/// Written at a time to fill the disk.
static FILLING: [u8; 64 * 1024] = [0; 64 * 1024];

/// fsync is off: the processes are killed, the machine is not.
const HOLDER: &str = r#"
set -eu
port=$1
dir=$(mktemp -d "${TMPDIR:-/tmp}/chaos.XXXXXX")
as="" mounted=no bin=-
chmod 755 "$dir"
mkdir "$dir/disk" "$dir/logs"
end() {
    [ "$bin" = - ] || $as "$bin/pg_ctl" -D "$dir/disk/data" -m immediate stop >/dev/null 2>&1
    [ $mounted = no ] || umount -l "$dir/disk"
    rm -rf "$dir"
}
trap end EXIT
cd "$dir"
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o "size=$2,mode=755" chaos "$dir/disk" 2>/dev/null; then mounted=yes; fi
if [ "$port" != 0 ]; then
    bin=$(ls -d /usr/lib/postgresql/*/bin /usr/local/pgsql/bin 2>/dev/null | sort -V | tail -n 1)
    [ -n "$bin" ] || bin=$(dirname "$(command -v initdb)")
    if [ "$(id -u)" = 0 ]; then chown postgres "$dir/disk" "$dir/logs"; as="runuser -u postgres --"; fi
    $as "$bin/initdb" -D "$dir/disk/data" -U postgres -A trust --no-sync >"$dir/logs/initdb.log"
    cat >>"$dir/disk/data/postgresql.conf" <<END
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
max_connections = 150
shared_buffers = 32MB
max_wal_size = 64MB
min_wal_size = 32MB
log_line_prefix = '%m %a '
END
    $as "$bin/pg_ctl" -D "$dir/disk/data" -l "$dir/logs/postgres.log" -w start >/dev/null
fi
echo "$dir $bin $mounted ${as:--}"
read -r _ || true
"#;

/// The directory, the disk and the cluster of a campaign.
#[derive(Debug)]
pub(crate) struct Ground {
    holder: Child,
    directory: PathBuf,
    programs: PathBuf,
    /// The cluster belongs to `postgres`: it refuses to run as root.
    is_root: bool,
    /// Whether the disk is one of its own, which only root can have.
    pub(crate) can_be_full: bool,
}

impl Ground {
    /// With a cluster at `port`, if there is one.
    pub(crate) fn prepare(port: Option<u16>) -> anyhow::Result<Self> {
        let port = port.unwrap_or(0).to_string();
        let mut command = Command::new("sh");
        command.args(["-c", HOLDER, "chaos", &port, DISK_SIZE]).stdin(Stdio::piped()).stdout(Stdio::piped());
        // A group of its own: Ctrl-C must not end it before it has removed everything.
        let mut holder = command.process_group(0).spawn().context("sh")?;
        let mut line = String::new();
        BufReader::new(holder.stdout.take().context("no output")?).read_line(&mut line)?;
        let words: Vec<_> = line.split_whitespace().collect();
        ensure!(words.len() >= 4, "no directory or no PostgreSQL: are initdb and pg_ctl installed?");
        let [directory, programs] = [words[0], words[1]].map(PathBuf::from);
        Ok(Self { holder, directory, programs, is_root: words[3] != "-", can_be_full: words[2] == "yes" })
    }

    /// What the services and the cluster store.
    pub(crate) fn disk(&self) -> PathBuf {
        self.directory.join("disk")
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.directory.join("logs")
    }

    /// `pg_ctl` with these arguments; whether it succeeded.
    pub(crate) fn pg_ctl(&self, arguments: &[&str]) -> bool {
        let pg_ctl = self.programs.join("pg_ctl");
        let mut command = if self.is_root {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(pg_ctl);
            command
        } else {
            Command::new(pg_ctl)
        };
        command.arg("-D").arg(self.disk().join("data")).arg("-l").arg(self.logs().join("postgres.log"));
        command.args(arguments).current_dir(&self.directory).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    /// Fills the disk to the last byte.
    pub(crate) fn fill(&self) -> anyhow::Result<()> {
        let mut file = File::create(self.disk().join("filling"))?;
        while file.write_all(&FILLING).is_ok() {}
        Ok(())
    }

    /// How often PostgreSQL wrote to its log that it had no room.
    pub(crate) fn refused_for_room(&self) -> anyhow::Result<u64> {
        let log = std::fs::read(self.logs().join("postgres.log"))?;
        Ok(String::from_utf8_lossy(&log).matches("No space left on device").count() as u64)
    }

    /// Gives the room back.
    pub(crate) fn free(&self) -> anyhow::Result<()> {
        Ok(std::fs::remove_file(self.disk().join("filling"))?)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}
