//! The process, by the names that Prometheus' client libraries have in common. Linux only: elsewhere there are none.

use std::fmt;

use procfs::{
    ProcResult,
    process::{LimitValue, Process as Linux},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

/// Reads /proc when it is asked.
#[derive(Debug)]
pub(super) struct Process;

struct Usage {
    cpu_seconds: f64,
    resident_bytes: u64,
    virtual_bytes: u64,
    threads: i64,
    open_fds: u64,
    max_fds: u64,
    start_time: f64,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let Ok(usage) = usage() else { return Ok(()) };
        let mut add = |name: &str, help: &str, metric: &dyn EncodeAny| metric.add(name, help, &mut encoder);
        add("process_cpu_seconds", "User and system time", &ConstCounter::new(usage.cpu_seconds))?;
        add("process_resident_memory_bytes", "Memory that is resident", &gauge(usage.resident_bytes))?;
        add("process_virtual_memory_bytes", "Address space", &gauge(usage.virtual_bytes))?;
        add("process_threads", "Threads", &ConstGauge::new(usage.threads))?;
        add("process_open_fds", "Open file descriptors", &gauge(usage.open_fds))?;
        add("process_max_fds", "Most file descriptors", &gauge(usage.max_fds))?;
        add("process_start_time_seconds", "Start, in seconds since 1970", &ConstGauge::new(usage.start_time))
    }
}

/// A metric of any type.
trait EncodeAny {
    fn add(&self, name: &str, help: &str, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result;
}

impl<M: EncodeMetric> EncodeAny for M {
    fn add(&self, name: &str, help: &str, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        self.encode(encoder.encode_descriptor(name, help, None, self.metric_type())?)
    }
}

fn gauge(value: u64) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "ticks of centuries are exact")]
fn usage() -> ProcResult<Usage> {
    let process = Linux::myself()?;
    let (stat, ticks) = (process.stat()?, procfs::ticks_per_second() as f64);
    let max_fds = match process.limits()?.max_open_files.soft_limit {
        LimitValue::Value(value) => value,
        LimitValue::Unlimited => u64::MAX,
    };
    Ok(Usage {
        cpu_seconds: (stat.utime + stat.stime) as f64 / ticks,
        resident_bytes: stat.rss * procfs::page_size(),
        virtual_bytes: stat.vsize,
        threads: stat.num_threads,
        open_fds: process.fd_count()? as u64,
        max_fds,
        start_time: procfs::boot_time_secs()? as f64 + stat.starttime as f64 / ticks,
    })
}
