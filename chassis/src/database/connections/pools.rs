//! Metrics of the pools, read when they are asked for.

use std::fmt;

use deadpool::Status;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
};
use sea_orm::DbBackend;

use super::Connections;
use crate::database::Database;

/// The pools of a database by their names.
#[derive(Debug)]
struct Pools(Vec<(&'static str, Connections)>);

impl Database {
    /// Metrics of the connections: of two pools on SQLite, of one on PostgreSQL and one to a replica of it.
    #[must_use]
    pub fn metrics(&self) -> impl Collector + use<> {
        let (read, write) = (self.read.clone(), self.write.clone());
        let mut pools = match read.backend {
            DbBackend::Sqlite => vec![("read", read), ("write", write)],
            _ => vec![("all", write)],
        };
        pools.extend(self.replica.iter().map(|replica| ("replica", replica.pool().clone())));
        Pools(pools)
    }
}

impl Collector for Pools {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let help = "Connections to the database";
        let mut counts = encoder.encode_descriptor("db_client_connection_count", help, None, MetricType::Gauge)?;
        for (name, pool) in &self.0 {
            let Status { available, size, .. } = pool.pool.status();
            for (state, count) in [("idle", available), ("used", size.saturating_sub(available))] {
                let labels = [("db_client_connection_pool_name", *name), ("db_client_connection_state", state)];
                gauge(count).encode(counts.encode_family(&labels)?)?;
            }
        }
        let help = "Callers that wait for a connection";
        let name = "db_client_connection_pending_requests";
        let mut waiting = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (name, pool) in &self.0 {
            gauge(pool.pool.status().waiting)
                .encode(waiting.encode_family(&[("db_client_connection_pool_name", *name)])?)?;
        }
        let help = "Most connections to the database";
        let mut maxima = encoder.encode_descriptor("db_client_connection_max", help, None, MetricType::Gauge)?;
        for (name, pool) in &self.0 {
            gauge(pool.pool.status().max_size)
                .encode(maxima.encode_family(&[("db_client_connection_pool_name", *name)])?)?;
        }
        Ok(())
    }
}

fn gauge(count: usize) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX))
}
