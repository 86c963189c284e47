//! A program beside the services, and all processes that it has begun.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use anyhow::Context;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::ground::Ground;

/// A process of the campaign. The ground ends it if this process cannot.
#[derive(Debug)]
pub(super) struct Daemon {
    child: Child,
    file: PathBuf,
}

impl Daemon {
    pub(super) fn start(name: &str, mut command: Command, ground: &Ground) -> anyhow::Result<Self> {
        let log = File::options().create(true).append(true).open(ground.logs.join(format!("{name}.log")))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).current_dir(&ground.directory);
        let child = command.spawn().with_context(|| format!("{name}: is it installed?"))?;
        let file = ground.pids().join(name);
        fs::write(&file, child.id().to_string())?;
        Ok(Self { child, file })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.file);
    }
}

/// The process and all that descend from it.
pub(super) fn family(pid: u32) -> Vec<Pid> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    let own = Pid::from_raw(pid.cast_signed());
    std::iter::once(own).chain(children.flat_map(family)).collect()
}

pub(super) fn signal(processes: &[Pid], signal: Signal) {
    for process in processes {
        let _ = kill(*process, signal);
    }
}

/// A command in a session of its own: Ctrl-C is for the campaign, which then ends everything in order. The process that
/// is started becomes the program.
pub(super) fn session(program: &str) -> Command {
    let mut command = Command::new("setsid");
    command.arg(program);
    command
}

/// The same as the user that PostgreSQL wants.
pub(super) fn as_postgres(program: &str, ground: &Ground) -> Command {
    if !ground.is_root {
        return session(program);
    }
    let mut command = session("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", program]);
    command
}
