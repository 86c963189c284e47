//! Memory, processor time and connections of a process, from /proc.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// Resets the peak of the resident memory: proc(5), `clear_refs`.
const RESET_PEAK: &str = "5";

/// The memory and the log of a process since the gauge was set.
#[derive(Debug)]
pub(crate) struct Gauge {
    process: PathBuf,
    log: PathBuf,
    memory: u64,
    log_lines: usize,
}

impl Gauge {
    /// Starts the measurement.
    pub(crate) fn set(process: u32, log: PathBuf) -> anyhow::Result<Self> {
        let process = PathBuf::from(format!("/proc/{process}"));
        fs::write(process.join("clear_refs"), RESET_PEAK).context("clear_refs")?;
        let memory = status(&process, "VmRSS:")?;
        let log_lines = lines(&log)?;
        Ok(Self { process, log, memory, log_lines })
    }

    /// Growth of the resident memory at its peak, in bytes.
    pub(crate) fn growth(&self) -> anyhow::Result<u64> {
        Ok(status(&self.process, "VmHWM:")?.saturating_sub(self.memory))
    }

    pub(crate) fn log_lines(&self) -> anyhow::Result<usize> {
        Ok(lines(&self.log)?.saturating_sub(self.log_lines))
    }
}

/// Whether a server's connection to a client is established. One that only waits to send its last bytes is not:
/// proc(5), `net/tcp`.
pub(crate) fn is_established(server: SocketAddr, client: SocketAddr) -> anyhow::Result<bool> {
    const ESTABLISHED: &str = "01";
    let table = fs::read_to_string("/proc/net/tcp")?;
    let [server, client] = [server, client].map(|address| format!(":{:04X}", address.port()));
    let is_it = |line: &str| {
        let mut columns = line.split_whitespace().skip(1);
        let [local, remote, state] = [columns.next(), columns.next(), columns.next()].map(Option::unwrap_or_default);
        local.ends_with(&server) && remote.ends_with(&client) && state == ESTABLISHED
    };
    Ok(table.lines().any(is_it))
}

/// Processor time of a process in hundredths of a second: proc(5), `stat`.
pub(crate) fn processor_time(process: u32) -> anyhow::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name of the program, in parentheses, may hold blanks.
    let (_, fields) = stat.rsplit_once(')').context("stat")?;
    let ticks = |index| fields.split_whitespace().nth(index).and_then(|field| field.parse::<u64>().ok());
    Ok(ticks(11).context("utime")? + ticks(12).context("stime")?)
}

fn status(process: &Path, field: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(process.join("status")).context("the process has ended")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()).with_context(|| field.to_owned())?;
    Ok(kilobytes.parse::<u64>()? * 1024)
}

fn lines(log: &Path) -> anyhow::Result<usize> {
    Ok(fs::read(log)?.split(|byte| *byte == b'\n').count())
}
