//! Metrics of a read replica.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::Counter, family::Family, gauge::ConstGauge},
};

use super::Replica;
use crate::metrics::Metrics;

/// Where a query was led, and why.
#[derive(Clone, Copy, Debug)]
pub(super) enum Led {
    /// To the replica.
    Replica,
    /// To the primary: the query wants fresher data than the setting does.
    Wanted,
    /// To the primary: the replica has not replayed the query's token yet.
    Token,
    /// To the primary: the replica is late.
    Late,
    /// To the primary: the replica is away.
    Away,
    /// To the primary: all connections to the replica are in use.
    Busy,
    /// To the primary after all: the replica failed while the query ran.
    Failed,
}

/// Counts queries.
#[derive(Clone, Debug)]
pub(super) struct Meter(Family<[(&'static str, &'static str); 2], Counter>);

/// Reads the staleness when it is asked for.
#[derive(Debug)]
struct Staleness(Arc<Replica>);

impl Meter {
    pub(super) fn registered(metrics: &Metrics, replica: &Arc<Replica>) -> Self {
        metrics.collect(Staleness(Arc::clone(replica)));
        let help = "Queries by where they were led, and why";
        Self(metrics.register("read_replica_queries", help, Family::default()))
    }

    pub(super) fn count(&self, led: Led) {
        let (target, reason) = match led {
            Led::Replica => ("replica", "fresh"),
            Led::Wanted => ("primary", "wanted"),
            Led::Token => ("primary", "token"),
            Led::Late => ("primary", "late"),
            Led::Away => ("primary", "away"),
            Led::Busy => ("primary", "busy"),
            Led::Failed => ("primary", "failed"),
        };
        self.0.get_or_create(&[("target", target), ("reason", reason)]).inc();
    }
}

impl Collector for Staleness {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let help = "How late the read replica is at most; none while that is not known";
        let name = "read_replica_staleness_seconds";
        let Some(staleness) = self.0.staleness() else { return Ok(()) };
        let gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        ConstGauge::new(staleness.as_secs_f64()).encode(gauge)
    }
}
