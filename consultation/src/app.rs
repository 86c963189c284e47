//! Builds the service from its parts.

use chassis::{
    Service,
    changes::Changes,
    cli::wrong_setting,
    config::Server,
    database::{Database, queries_on_replica},
    gate::{self, ServiceRoutes},
    health::{Heartbeat, Monitor},
    metrics::Metrics,
    replicas,
    server::Task,
    traces::Traces,
};
use chrono::TimeDelta;
use futures_util::FutureExt;
use migration::consultation::Migrator;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{DomainSettings, FinanceTarget},
    console::{self, Console},
    finance_client::FinanceClient,
    graphiql_tabs, graphql,
    outbox::{self, Policy, Relay, Remedies, Upkeep, WakeUp},
    permissions::PERMISSIONS,
    rest,
    rules::Rules,
    writers::Consultations,
};

/// Feed of the changes of consultations and their payments.
pub(crate) const CHANGE_FEED: &str = "consultation_changed";

/// Builds the service; it starts with [`chassis::server::start`].
///
/// # Errors
/// When the users cannot be read, the password for finance is a public one, a duration is longer than any
/// date, or a setting of traces is invalid.
pub fn build(
    server: &Server,
    finance: FinanceTarget,
    domain: &DomainSettings,
    database: &Database,
    shutdown: &CancellationToken,
) -> anyhow::Result<Service> {
    finance.refuse_public_password(server).map_err(wrong_setting)?;
    let policy = Policy::new(domain.poll_interval);
    let (wake_up, due_elsewhere) = WakeUp::new();
    let (changes, changes_elsewhere) = Changes::new(CHANGE_FEED);
    let metrics = Metrics::new(server.name);
    metrics.collect(database.metrics());
    let (address, time_zone) = (console::finance::address(&finance.url), domain.time_zone);
    let client = FinanceClient::new(finance, domain.currency, policy.request_timeout)?.measured(&metrics);
    tokio::spawn(client.clone().keep_certificate_renewed(shutdown.clone()));
    let meter = outbox::Meter::registered(&metrics);
    let remedies = Remedies::new(database, &client, &wake_up, &changes);
    let mut relay = Relay::new(database.clone(), client, policy, wake_up.clone(), changes.clone());
    let traces = Traces::of(server.name)?;
    (relay.meter, relay.traces) = (meter.clone(), traces.clone());
    let [starts, finishes, hears, tidies] =
        ["starts", "finishes", "hints across replicas", "outbox upkeep"].map(Heartbeat::new);
    let monitor = Monitor::<Migrator>::new(server, database);
    let beside = [(starts.clone(), metrics.writer("start")), (finishes.clone(), metrics.writer("finish"))];
    let (consultations, writers) = Consultations::new(database, rules(domain)?, wake_up, changes.clone(), beside);
    let console = Console { remedies: remedies.clone(), activity: meter.activity.clone(), finance: address, time_zone };
    let rest = rest::router(consultations.clone(), time_zone).merge(console::router(console));
    let api = &server.api;
    let schema = graphql::schema(api, database.clone(), consultations, remedies, changes, time_zone, domain.currency);
    let page = graphiql_tabs::page(server.browsers.graphiql_link.clone());
    let (options, permissions) = (graphql::options(api), &PERMISSIONS);
    let (sdl, meters, spans) = (graphql::sdl(), metrics.clone(), traces.clone());
    let replica = queries_on_replica(database, &metrics, graphql::on_replica);
    let offered =
        ServiceRoutes { schema, options, sdl, permissions, page, rest, metrics: meters, traces: spans, replica };
    let heartbeats =
        vec![starts, finishes, hears.clone(), tidies.clone(), relay.heartbeat.clone(), monitor.heartbeat.clone()];
    let router = gate::guard(server, monitor.readiness.clone(), shutdown, offered, heartbeats)?;

    let relaying: Task = ("outbox relay", relay.run(shutdown.clone()).map(Ok).boxed());
    let hints = replicas::connect(vec![due_elsewhere, changes_elsewhere], database.clone(), hears, shutdown.clone());
    let hinting: Task = ("hints across replicas", hints.map(Ok).boxed());
    let checking: Task = ("readiness", monitor.run(shutdown.clone()).map(Ok).boxed());
    let writing = writers.into_iter().map(|writer| -> Task { ("consultation writer", writer.map(Ok).boxed()) });
    let meter = server.metrics_bind.map(|_| meter);
    let upkeep = Upkeep { database: database.clone(), retention: domain.retention, heartbeat: tidies, meter };
    let tidying: Task = ("outbox upkeep", upkeep.run(shutdown.clone()).map(Ok).boxed());
    Ok(Service { router, tasks: writing.chain([relaying, hinting, checking, tidying]).collect(), metrics, traces })
}

fn rules(domain: &DomainSettings) -> anyhow::Result<Rules> {
    let [longest, longest_backdate] = [domain.longest, domain.longest_backdate].map(TimeDelta::from_std);
    Ok(Rules { price_per_hour: domain.price_per_hour, longest: longest?, longest_backdate: longest_backdate? })
}
