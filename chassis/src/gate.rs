//! The gate, through which every connection and every request comes.
//!
//! A request passes these steps in order; each may refuse it.
//!
//! | step | refuses | module |
//! |---|---|---|
//! | connection | beyond the limits of connections, time and unread responses | [`connections`] |
//! | request id | nothing | `request_id` |
//! | host | names that are not allowed | [`browsers`] |
//! | probes | answers `/livez` and `/readyz` here, without a login | [`crate::health`] |
//! | CORS | pages of other origins | [`browsers`] |
//! | login | missing, wrong or too many credentials | [`logins`] |
//!
//! Then come the routes of the service: GraphQL, GraphiQL and REST. GraphQL and REST check the roles of the caller.

pub mod browsers;
pub mod client_address;
pub mod connections;
pub mod logins;
pub(crate) mod request_id;

use std::sync::Arc;

use anyhow::Context;
use async_graphql::Executor;
use axum::{
    Extension, Router,
    extract::{MatchedPath, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use graphql_http::{Endpoint, Permissions, TaskContext, graphiql, meter::Meter, method_not_allowed};
use tokio_util::sync::CancellationToken;

use crate::{
    access_log::{self, AccessLog, Operations},
    audit::Audit,
    cli::wrong_setting,
    config::Server,
    database::ReplicaReads,
    graphql,
    health::{self, Heartbeat, Readiness},
    language::Language,
    metrics::{GraphqlMeter, HttpMeter, Metrics},
    traces::{self, Span, SpanMeter, Traces},
};
use browsers::Rules;
use client_address::TrustedProxies;
use logins::Authenticator;

/// The routes of a service behind the gate.
#[expect(missing_debug_implementations, reason = "schemas have none")]
pub struct ServiceRoutes<S> {
    /// The schema of `/graphql`, with the options that were applied to it.
    pub schema: S,
    /// Its options.
    pub options: graphql_http::Options,
    /// The schema as text, for `/schema.graphql`.
    pub sdl: String,
    /// The roles that its fields need, and that users may have.
    pub permissions: &'static Permissions,
    /// The page of `/graphiql`.
    pub page: graphiql::Page,
    /// Other routes.
    pub rest: Router,
    /// Measures requests, operations and logins.
    pub metrics: Metrics,
    /// Traces requests.
    pub traces: Traces,
    /// The queries on a read replica, if there is one.
    pub replica: Option<ReplicaReads>,
}

/// The routes of a service behind the gate, and its probes: ready by `readiness`, live by all `heartbeats`.
///
/// # Errors
/// When the users, the file with the issuer's keys, or the trusted documents cannot be read.
pub fn guard<S: Executor>(
    server: &Server,
    readiness: Readiness,
    shutdown: &CancellationToken,
    routes: ServiceRoutes<S>,
    mut heartbeats: Vec<Heartbeat>,
) -> anyhow::Result<Router> {
    let (metrics, access_log, audit) = (routes.metrics, AccessLog::of(server.name), Audit::of(server.name));
    let authenticator = authenticator(server, routes.permissions.roles).map_err(wrong_setting)?;
    let authenticator = Arc::new(authenticator.measured(&metrics));
    tokio::spawn(Arc::clone(&authenticator).keep_renewed(shutdown.clone()));
    let measured = metrics.graphql.clone().declaring(&routes.sdl, routes.permissions);
    let mut endpoint = Endpoint::new(routes.schema, routes.options)
        .with_error_classifier(graphql::classify)
        .with_permissions(routes.permissions)
        .with_authenticator(Arc::clone(&authenticator) as _)
        .with_shutdown(shutdown.clone())
        .with_meter(meter(measured, access_log, &routes.traces))
        .with_task_context::<(Language, (Span, access_log::Current))>();
    if let Some(replica) = routes.replica {
        heartbeats.push(replica.heartbeat.clone());
        endpoint = endpoint.with_consistency(replica.watched(shutdown.clone()));
    }
    if let Some(audit) = audit {
        endpoint = endpoint.with_observer(Arc::new(audit));
    }
    if let Some(directory) = &server.api.trusted_documents {
        let trusted = endpoint.with_trusted_documents(directory);
        let trusted = trusted.with_context(|| format!("--{}-trusted-documents", server.name));
        endpoint = trusted.map_err(wrong_setting)?;
    }
    let service = Router::new()
        .merge(graphql_http::router(endpoint, routes.sdl))
        .merge(graphiql::router(&routes.page))
        .merge(match audit {
            Some(audit) => routes.rest.layer(Extension(audit)),
            None => routes.rest,
        })
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed);
    let service = traces::layered(service, routes.traces);
    let guarded = browsers::allow(logins::require(service, authenticator), &server.browsers);
    let name = server.name;
    let health = health::router(readiness, shutdown.clone(), heartbeats)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::map_response(async move |response| health::tell_name(name, response)));
    Ok(guarded
        .merge(health)
        .layer(middleware::from_fn_with_state(Arc::new(Reception::of(server, metrics.http, access_log)), receive)))
}

/// Measures operations, and tells of them in what is on.
fn meter(measured: GraphqlMeter, access_log: Option<AccessLog>, traces: &Traces) -> Arc<dyn Meter> {
    let meter: Arc<dyn Meter> = Arc::new(measured);
    let meter = match access_log {
        Some(log) => Arc::new(Operations { log, meter }),
        None => meter,
    };
    if traces.are_on() { Arc::new(SpanMeter(meter)) } else { meter }
}

/// Reads the users and the keys of the issuer.
fn authenticator(server: &Server, roles: &'static [&'static str]) -> anyhow::Result<Authenticator> {
    let users = Authenticator::new(server.name, &server.access, roles)
        .with_context(|| format!("--{}-htpasswd-file", server.name))?
        .behind(server.trusted_proxies.clone());
    let Some(issuer) = &server.token_issuer else { return Ok(users) };
    users.with_issuer(issuer).with_context(|| format!("--{}-token-keys-file", server.name))
}

/// What every request meets first.
struct Reception {
    rules: Rules,
    meter: HttpMeter,
    access_log: Option<AccessLog>,
    proxies: TrustedProxies,
}

impl Reception {
    fn of(server: &Server, meter: HttpMeter, access_log: Option<AccessLog>) -> Self {
        Self { rules: Rules::of(server), meter, access_log, proxies: server.trusted_proxies.clone() }
    }

    /// The line of the request in the access log, if there is one. Supervisors ask every few seconds: probes have none.
    fn log(&self, request: &Request) -> Option<Arc<access_log::Request>> {
        let log = self.access_log.filter(|_| !health::is_probe(request.uri().path()))?;
        let peer = client_address::peer(request.extensions());
        let client = self.proxies.client(peer, request.headers());
        Some(Arc::new(access_log::Request::new(log, request, client)))
    }
}

/// Checks the host, finds the language, measures and logs. One layer for all: each costs allocations.
async fn receive(State(reception): State<Arc<Reception>>, request: Request, next: Next) -> Response {
    let logged = reception.log(&request);
    let measuring = reception.meter.request(request.method(), request.extensions().get::<MatchedPath>().cloned());
    let language = Language::of(request.headers());
    let answer = reception.rules.apply(request, async |request| language.scope(next.run(request)).await);
    let response = match logged {
        Some(logged) => logged.follow(answer).await,
        None => answer.await,
    };
    measuring.answered(response.status());
    response
}

async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "Not found. The API is at /graphql, its explorer at /graphiql\n").into_response()
}
