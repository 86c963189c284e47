//! PostgreSQL: one server, or a primary and a synchronous standby that can exchange roles.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::ensure;
use testkit::free_port;
use tokio::{
    task::block_in_place,
    time::{Instant, sleep},
};

use crate::{clock::FakeClock, ground::Ground};

/// The standby's name. Commits of the primary wait for it.
const STANDBY: &str = "standby";
/// Time to copy a few hundred megabytes and to exchange the first messages.
const ATTACHED_WITHIN: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// One server of two.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) port: u16,
    data: PathBuf,
}

#[derive(Debug)]
pub(crate) struct Cluster {
    directory: PathBuf,
    logs: PathBuf,
    programs: PathBuf,
    is_root: bool,
    servers: [Server; 2],
    primary: AtomicUsize,
    /// The clock of servers started from now on; by default the machine's.
    clock: Mutex<Option<FakeClock>>,
}

impl Cluster {
    /// Starts the first server.
    pub(crate) fn start(ground: &Ground) -> anyhow::Result<Self> {
        let server = |number: usize| Server { port: free_port(), data: ground.disk().join(format!("server-{number}")) };
        let cluster = Self {
            directory: ground.directory.clone(),
            logs: ground.logs.clone(),
            programs: ground.programs.clone(),
            is_root: ground.is_root,
            servers: [server(1), server(2)],
            primary: AtomicUsize::new(0),
            clock: Mutex::default(),
        };
        ensure!(cluster.pg_ctl(cluster.primary(), &["-w", "start"]), "PostgreSQL does not start");
        Ok(cluster)
    }

    pub(crate) fn primary(&self) -> &Server {
        &self.servers[self.primary.load(Ordering::Relaxed)]
    }

    pub(crate) fn standby(&self) -> &Server {
        &self.servers[1 - self.primary.load(Ordering::Relaxed)]
    }

    /// Exchanges the roles of primary and standby.
    pub(crate) fn exchange(&self) {
        self.primary.fetch_xor(1, Ordering::Relaxed);
    }

    /// Kills the primary and starts it again at once.
    pub(crate) fn restart(&self) {
        block_in_place(|| self.pg_ctl(self.primary(), &["-m", "immediate", "-w", "restart"]));
    }

    /// Kills a server.
    pub(crate) fn kill(&self, server: &Server) {
        block_in_place(|| self.pg_ctl(server, &["-m", "immediate", "-w", "stop"]));
    }

    /// Starts a server on its data.
    pub(crate) fn begin(&self, server: &Server) -> bool {
        block_in_place(|| self.pg_ctl(server, &["-w", "start"]))
    }

    /// Promotes the standby. Its commits wait for nobody until it has a standby itself.
    pub(crate) fn promote(&self) -> anyhow::Result<()> {
        Self::set_synchronous(self.standby(), "")?;
        block_in_place(|| self.pg_ctl(self.standby(), &["reload"]));
        ensure!(block_in_place(|| self.pg_ctl(self.standby(), &["-w", "promote"])), "no promotion");
        Ok(())
    }

    /// Sets the clock of servers started from now on; `None` is the machine's.
    pub(crate) fn set_clock(&self, clock: Option<FakeClock>) {
        *self.clock.lock().expect("clock") = clock;
    }

    /// Copies the primary to the other server, which must be down, and waits until commits wait for it.
    pub(crate) async fn attach_standby(&self) -> anyhow::Result<()> {
        let (primary, standby) = (self.primary(), self.standby());
        block_in_place(|| self.copy(primary, standby))?;
        Self::set_synchronous(primary, STANDBY)?;
        ensure!(self.begin(standby), "the standby does not start");
        block_in_place(|| self.pg_ctl(primary, &["reload"]));
        self.attached().await
    }

    /// Waits until commits wait for the standby.
    async fn attached(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + ATTACHED_WITHIN;
        let attached = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'";
        while block_in_place(|| self.psql(self.primary(), attached)).as_deref() != Some("1") {
            ensure!(Instant::now() < deadline, "no standby after {ATTACHED_WITHIN:?}");
            sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    /// From its next start or reload on.
    fn set_synchronous(server: &Server, standby: &str) -> anyhow::Result<()> {
        let mut file = OpenOptions::new().append(true).open(server.data.join("postgresql.conf"))?;
        Ok(writeln!(file, "synchronous_standby_names = '{standby}'")?)
    }

    fn copy(&self, from: &Server, to: &Server) -> anyhow::Result<()> {
        if to.data.exists() {
            fs::remove_dir_all(&to.data)?;
        }
        let source = format!("host=127.0.0.1 port={} user=postgres application_name={STANDBY}", from.port);
        let mut command = self.command("pg_basebackup");
        command.arg("-D").arg(&to.data).args(["-d", &source, "-R", "-X", "stream", "-c", "fast", "--no-sync"]);
        ensure!(command.status()?.success(), "no copy of the primary");
        Ok(())
    }

    /// The answer to a query of one value, past all proxies.
    pub(crate) fn psql(&self, server: &Server, sql: &str) -> Option<String> {
        let mut command = self.command("psql");
        command.args(["-h", "127.0.0.1", "-p", &server.port.to_string(), "-U", "postgres", "-AtXqc", sql]);
        let output = command.stdout(Stdio::piped()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Runs a client program against the primary. Whether it succeeded.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = self.command(program);
        command.args(["-h", "127.0.0.1", "-p", &self.primary().port.to_string(), "-U", "postgres"]).args(arguments);
        command.status().is_ok_and(|status| status.success())
    }

    /// The number of lines in PostgreSQL's log that say it had no room.
    pub(crate) fn refused_for_room(&self) -> anyhow::Result<u64> {
        let log = fs::read(self.logs.join("postgres.log"))?;
        Ok(String::from_utf8_lossy(&log).matches("No space left on device").count() as u64)
    }

    /// Whether it succeeded.
    fn pg_ctl(&self, server: &Server, arguments: &[&str]) -> bool {
        let mut command = self.command("pg_ctl");
        command.arg("-D").arg(&server.data).arg("-l").arg(self.logs.join("postgres.log"));
        if arguments.iter().any(|argument| argument.ends_with("start")) {
            command.args(["-o", &format!("-p {}", server.port)]);
        }
        command.args(arguments).status().is_ok_and(|status| status.success())
    }

    /// A program of PostgreSQL, as the user that it wants, under the cluster's clock.
    fn command(&self, program: &str) -> Command {
        let mut words: Vec<_> =
            if self.is_root { ["runuser", "-u", "postgres", "--"].map(Into::into).into() } else { vec![] };
        // As variables of runuser itself they would make it leave shared memory that others cannot open.
        words.push("env".into());
        if let Some(clock) = &*self.clock.lock().expect("clock") {
            words.extend(clock.variables().map(|(name, value)| format!("{name}={value}").into()));
        }
        words.push(self.programs.join(program).into_os_string());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(&self.directory);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}
