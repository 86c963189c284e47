//! CPU time and memory of processes, from /proc.

use std::fs;

use anyhow::Context;

use crate::service::{Service, Services};

/// The unit of /proc on Linux, whatever the kernel's own is.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds so far, and the present memory.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) consultation: f64,
    pub(crate) finance: f64,
    pub(crate) postgres: f64,
    /// This process, which makes the load.
    pub(crate) client: f64,
    /// Resident memory in MB.
    pub(crate) consultation_rss: f64,
    pub(crate) finance_rss: f64,
}

impl Usage {
    /// Reads the usage of the services, and of PostgreSQL if there is a postmaster.
    pub(crate) fn now(services: &Services, postmaster: Option<u32>) -> anyhow::Result<Self> {
        let [consultation, finance] = [&services.consultation, &services.finance].map(Service::pid);
        let used = |pid: Option<u32>| pid.map_or(Ok(0.0), cpu);
        let resident = |pid: Option<u32>| pid.map_or(Ok(0.0), resident_mb);
        Ok(Self {
            consultation: used(consultation)?,
            finance: used(finance)?,
            postgres: postmaster.map_or(Ok(0.0), cpu_of_family)?,
            client: cpu(std::process::id())?,
            consultation_rss: resident(consultation)?,
            finance_rss: resident(finance)?,
        })
    }

    /// CPU seconds since `before`, and the present memory.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            consultation: self.consultation - before.consultation,
            finance: self.finance - before.finance,
            postgres: self.postgres - before.postgres,
            client: self.client - before.client,
            ..*self
        }
    }
}

/// Resident memory in MB.
pub(crate) fn resident_mb(pid: u32) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}

fn cpu(pid: u32) -> anyhow::Result<f64> {
    Ok(numbers(pid)?[10..12].iter().sum::<f64>() / TICKS_PER_SECOND)
}

/// CPU time of a process and of its children, ended ones included.
fn cpu_of_family(parent: u32) -> anyhow::Result<f64> {
    let mut ticks: f64 = numbers(parent)?[10..14].iter().sum();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // The process may have ended.
        let Ok(numbers) = numbers(pid) else { continue };
        if (numbers[0] - f64::from(parent)).abs() < 0.5 {
            ticks += numbers[10..12].iter().sum::<f64>();
        }
    }
    Ok(ticks / TICKS_PER_SECOND)
}

/// The fields of `/proc/PID/stat` behind the state: first the parent, 10 to 13 are the CPU ticks in user and system
/// mode, its own and those of children that have ended.
fn numbers(pid: u32) -> anyhow::Result<Vec<f64>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("no name")?;
    Ok(fields.split_whitespace().skip(1).map(|field| field.parse().unwrap_or(0.0)).collect())
}
