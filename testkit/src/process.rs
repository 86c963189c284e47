//! A service as a process of its own.

use std::{
    net::TcpListener,
    ops::Range,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::GraphqlClient;

/// Longest wait for a start or an end on a busy machine.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A running process, killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Client of the process.
    pub client: GraphqlClient,
}

/// Path of the program `name` of this workspace, which cargo builds beside the tests.
fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test");
    let directory = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    let program = directory.join(name);
    assert!(program.exists(), "{} is not built: cargo test --workspace builds it", program.display());
    program
}

/// Below the ephemeral ports of outgoing connections (from 32768 on Linux). So no other connection takes the port of a
/// process that is down for a moment.
const PORTS: Range<u16> = 12_000..32_000;

/// A port that was free a moment ago, different in each call.
#[must_use]
pub fn free_port() -> u16 {
    static OFFSET: AtomicU32 = AtomicU32::new(0);
    let count = u32::from(PORTS.end - PORTS.start);
    // Concurrent test processes start at different ports.
    let first = std::process::id().wrapping_mul(37);
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let ports = (0..count).map(|_| first.wrapping_add(OFFSET.fetch_add(1, Ordering::Relaxed)) % count);
    let mut ports = ports.map(|offset| PORTS.start + u16::try_from(offset).expect("in the range"));
    ports.find(is_free).expect("a free port")
}

impl Process {
    /// A command for `name` with no settings except `settings`.
    #[must_use]
    pub fn command(name: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Command {
        Self::command_in(None, name, arguments, settings)
    }

    /// As `command`, with the program from this directory if given.
    #[must_use]
    pub fn command_in(programs: Option<&Path>, name: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Command {
        let mut command = Command::new(programs.map_or_else(|| program(name), |directory| directory.join(name)));
        // Many at once would meet at the default addresses.
        let no_metrics = ["CONSULTATION_METRICS_BIND", "FINANCE_METRICS_BIND"].map(|name| (name, "none"));
        command.args(arguments).env_clear().envs(no_metrics).envs(settings.iter().copied()).stdin(Stdio::null());
        command
    }

    /// Starts `name` at `port` and waits until it is ready.
    pub async fn start(name: &str, port: u16, settings: &[(&str, &str)]) -> Self {
        let mut command = Self::command(name, &[], settings);
        command.stderr(Stdio::null());
        let process = Self::spawn(&mut command, port);
        let deadline = Instant::now() + PROCESS_TIMEOUT;
        while !process.client.get("/readyz").send().await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(Instant::now() < deadline, "{name} is not ready after {PROCESS_TIMEOUT:?}");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        process
    }

    /// Starts `command`, of a service that will listen at `port`.
    pub fn spawn(command: &mut Command, port: u16) -> Self {
        let child = command.spawn().expect("a process");
        Self { child, client: GraphqlClient::new(format!("http://127.0.0.1:{port}")) }
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        kill(pid, signal).expect("the process is there");
    }

    /// Waits for the end and returns the exit code; `None` if a signal ended it.
    pub async fn exit_code(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PROCESS_TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "still running after {PROCESS_TIMEOUT:?}");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Kills the process, as a crash would.
    pub async fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        self.exit_code().await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
