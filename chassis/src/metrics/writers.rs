//! Batches of group commit.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::durations;

/// Bounds of rows in a batch: 64 is the most.
const ROWS: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// Metrics of all writers of a service.
#[derive(Clone, Debug)]
pub(super) struct Writers {
    rows: Family<Writer, Histogram, fn() -> Histogram>,
    durations: Family<Writer, Histogram, fn() -> Histogram>,
    queued: Family<Writer, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Writer {
    writer: &'static str,
}

/// Metrics of one writer.
#[derive(Clone, Debug)]
pub struct WriterMeter {
    /// Its name, also of the spans of its batches.
    pub(crate) name: &'static str,
    rows: Histogram,
    duration: Histogram,
    queued: Gauge,
}

impl Writers {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let writers = Self {
            rows: Family::new_with_constructor(rows),
            durations: Family::new_with_constructor(durations),
            queued: Family::default(),
        };
        registry.register("write_batch_rows", "Rows of a batch", writers.rows.clone());
        registry.register(
            "write_batch_duration_seconds",
            "Time to write a batch, or until it failed",
            writers.durations.clone(),
        );
        registry.register("write_queue_jobs", "Callers that wait for the next batch", writers.queued.clone());
        writers
    }

    pub(super) fn of(&self, name: &'static str) -> WriterMeter {
        let writer = Writer { writer: name };
        WriterMeter {
            name,
            rows: self.rows.get_or_create_owned(&writer),
            duration: self.durations.get_or_create_owned(&writer),
            queued: self.queued.get_or_create_owned(&writer),
        }
    }
}

impl WriterMeter {
    /// A batch was written, or failed.
    pub(crate) fn written(&self, rows: usize, took: Duration) {
        self.rows.observe(f64::from(u32::try_from(rows).unwrap_or(u32::MAX)));
        self.duration.observe(took.as_secs_f64());
    }

    /// Counts a caller in the queue until the value is dropped.
    pub(crate) fn queued(&self) -> Queued {
        self.queued.inc();
        Queued(self.queued.clone())
    }
}

/// A caller in the queue.
#[derive(Debug)]
pub(crate) struct Queued(Gauge);

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Metrics that nobody reads.
impl Default for WriterMeter {
    fn default() -> Self {
        Self { name: "rows", rows: rows(), duration: durations(), queued: Gauge::default() }
    }
}

fn rows() -> Histogram {
    Histogram::new(ROWS)
}
