//! A machine with Patroni and PostgreSQL: it dies, hangs, loses its network or its database.

mod settings;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use nix::{sys::signal::Signal, unistd::Pid};
use testkit::free_port;

use super::{
    as_postgres,
    daemon::{Daemon, family, signal},
    wire::{State, Wire},
};
use crate::ground::Ground;

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// Ports of PostgreSQL and of Patroni, past all wires.
    port: u16,
    pub(super) rest_port: u16,
    data: PathBuf,
    wires: Wires,
    patroni: Mutex<Option<Daemon>>,
}

/// All ways to and from a machine.
#[derive(Debug)]
struct Wires {
    clients: Wire,
    members: Wire,
    rest: Wire,
    etcd: Wire,
}

impl Wires {
    fn set(&self, state: State) {
        for wire in [&self.clients, &self.members, &self.rest, &self.etcd] {
            wire.set(state);
        }
    }
}

impl Node {
    /// A machine that is off.
    pub(super) async fn new(ground: &Ground, number: usize, etcd: u16) -> anyhow::Result<Self> {
        let (port, rest_port) = (free_port(), free_port());
        let wires = Wires {
            clients: Wire::open(port).await?,
            members: Wire::open(port).await?,
            rest: Wire::open(rest_port).await?,
            etcd: Wire::open(etcd).await?,
        };
        let data = ground.disk().join(format!("server-{number}"));
        Ok(Self { name: format!("postgres-{number}"), port, rest_port, data, wires, patroni: Mutex::default() })
    }

    /// URL of its database, past all proxies.
    pub(crate) fn url(&self) -> String {
        super::url(self.port, "postgres")
    }

    pub(super) fn port_for_clients(&self) -> u16 {
        self.wires.clients.port
    }

    pub(super) fn port_for_checks(&self) -> u16 {
        self.wires.rest.port
    }

    /// Switches it on.
    pub(crate) fn boot(&self, ground: &Ground) -> anyhow::Result<()> {
        self.boot_with(ground, &ground.patroni(), &[])
    }

    /// The same with the configuration in this directory and these variables.
    pub(super) fn boot_with(&self, ground: &Ground, directory: &Path, more: &[(&str, &str)]) -> anyhow::Result<()> {
        self.wires.set(State::Up);
        let mut command = as_postgres(&settings::program()?, ground);
        command.arg(directory).envs(more.iter().copied());
        self.configure(&mut command, ground);
        *self.patroni() = Some(Daemon::start(&self.name, command, ground)?);
        Ok(())
    }

    /// Power is lost: nothing that was on its way arrives.
    pub(crate) fn die(&self) {
        self.wires.set(State::Down);
        let processes = self.processes();
        // All at once: no process sees another die.
        signal(&processes, Signal::SIGSTOP);
        signal(&processes, Signal::SIGKILL);
        self.patroni().take();
    }

    /// It dies, and its disk with it.
    pub(super) fn lose(&self) -> anyhow::Result<()> {
        self.die();
        Ok(fs::remove_dir_all(&self.data)?)
    }

    /// All its processes stop, and later go on as if no time had passed.
    pub(crate) fn hang(&self) {
        signal(&self.processes(), Signal::SIGSTOP);
    }

    pub(crate) fn wake(&self) {
        signal(&self.processes(), Signal::SIGCONT);
    }

    /// PostgreSQL dies; Patroni sees it.
    pub(crate) fn kill_database(&self) {
        signal(&self.database(), Signal::SIGKILL);
    }

    /// The network carries nothing to and from it, and later everything again.
    pub(crate) fn cut_off(&self, is_cut: bool) {
        self.wires.set(if is_cut { State::Cut } else { State::Up });
    }

    /// Delays what it exchanges with other servers.
    pub(super) fn lengthen(&self, delay: Duration) {
        self.wires.members.delay(delay);
    }

    fn processes(&self) -> Vec<Pid> {
        let patroni = self.patroni().as_ref().map(Daemon::pid);
        let mut processes: Vec<_> = patroni.into_iter().flat_map(family).collect();
        processes.extend(self.database());
        processes
    }

    fn database(&self) -> Vec<Pid> {
        let file = fs::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
        file.lines().next().and_then(|line| line.trim().parse().ok()).map(family).unwrap_or_default()
    }

    fn patroni(&self) -> std::sync::MutexGuard<'_, Option<Daemon>> {
        self.patroni.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Node {
    /// PostgreSQL is left to the ground, which stops it: killed, it would leave shared memory behind.
    fn drop(&mut self) {
        self.patroni().take();
        self.wake();
    }
}
