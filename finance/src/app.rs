//! Builds the service from its parts.

use chassis::{
    Service,
    changes::Changes,
    config::Server,
    database::{Database, queries_on_replica},
    gate::{self, ServiceRoutes},
    health::{Heartbeat, Monitor},
    metrics::Metrics,
    replicas,
    traces::Traces,
    write_coalescer::WriteCoalescer,
};
use entity::Currency;
use futures_util::FutureExt;
use migration::finance::Migrator;
use tokio_util::sync::CancellationToken;

use crate::{graphiql_tabs, graphql, permissions::PERMISSIONS, rest, writer::RecordWriter};

/// Feed of recorded payments.
pub(crate) const CHANGE_FEED: &str = "payment_recorded";

/// Builds the service; it starts with [`chassis::server::start`].
///
/// # Errors
/// When the users cannot be read, or a setting of traces is invalid.
pub fn build(
    server: &Server,
    currency: Currency,
    database: &Database,
    shutdown: &CancellationToken,
) -> anyhow::Result<Service> {
    let metrics = Metrics::new(server.name);
    metrics.collect(database.metrics());
    let (changes, channel) = Changes::new(CHANGE_FEED);
    let [recording, hearing] = ["payment writer", "hints across replicas"].map(Heartbeat::new);
    let monitor = Monitor::<Migrator>::new(server, database);
    let writer = RecordWriter { database: database.clone(), recorded: changes.clone() };
    let (writer, writing) = WriteCoalescer::new(writer, recording.clone(), metrics.writer("record"));
    let rest = rest::router(writer.clone());
    let schema = graphql::schema(&server.api, database.clone(), writer, changes, currency);
    let replica = queries_on_replica(database, &metrics, graphql::on_replica);
    let page = graphiql_tabs::page(server.browsers.graphiql_link.clone());
    let (options, permissions) = (graphql::options(&server.api), &PERMISSIONS);
    let (sdl, traces) = (graphql::sdl(), Traces::of(server.name)?);
    let offered = ServiceRoutes {
        schema,
        options,
        sdl,
        permissions,
        page,
        rest,
        metrics: metrics.clone(),
        traces: traces.clone(),
        replica,
    };
    let heartbeats = vec![recording, hearing.clone(), monitor.heartbeat.clone()];
    let router = gate::guard(server, monitor.readiness.clone(), shutdown, offered, heartbeats)?;
    let hints = replicas::connect(vec![channel], database.clone(), hearing, shutdown.clone());
    let tasks = vec![
        ("payment writer", writing.map(Ok).boxed()),
        ("hints across replicas", hints.map(Ok).boxed()),
        ("readiness", monitor.run(shutdown.clone()).map(Ok).boxed()),
    ];
    Ok(Service { router, tasks, metrics, traces })
}
