//! Bearer tokens: a guarded GraphQL service, and an issuer in this process.

mod accepted;
mod defects;
mod issuer;
mod keys;
mod log;
mod outages;
mod signer;
mod streams;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_graphql::{
    Context, Object, Schema, Subscription,
    futures_util::{Stream, StreamExt, stream},
};
use axum::Router;
use chassis::{
    Service,
    config::{Access, Server, TokenIssuer},
    gate::{self, ServiceRoutes},
    health::Monitor,
    metrics::Metrics,
    traces::Traces,
};
use graphql_http::{Caller, Options, Permissions, Rule, graphiql::Page};
use serde_json::json;
use testkit::{Answer, Backend, GraphqlClient, TestDatabase, TestService};

use crate::health::NoMigrations;

static PERMISSIONS: Permissions = Permissions {
    roles: &["reader", "writer"],
    root_fields: &[
        Rule::new("caller", &["reader"]),
        Rule::new("touch", &["writer"]),
        Rule::new("oneAndNoMore", &["reader"]),
    ],
    sensitive: &[],
};

struct Query;

#[Object]
impl Query {
    async fn caller<'a>(&self, ctx: &'a Context<'_>) -> &'a str {
        &ctx.data_unchecked::<Caller>().name
    }
}

struct Mutation(Arc<AtomicUsize>);

#[Object]
impl Mutation {
    async fn touch(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

struct Ticks;

#[Subscription]
impl Ticks {
    async fn one_and_no_more(&self) -> impl Stream<Item = i32> {
        stream::iter([1]).chain(stream::pending())
    }
}

struct Api {
    service: TestService,
    touched: Arc<AtomicUsize>,
    metrics: Metrics,
    _db: TestDatabase,
}

/// A service that accepts tokens of the issuer, and no passwords.
async fn serve(issuer: TokenIssuer) -> Api {
    serve_to(Access::TokensOnly, Some(issuer)).await
}

async fn serve_to(access: Access, token_issuer: Option<TokenIssuer>) -> Api {
    let db = TestDatabase::empty(Backend::Sqlite).await.expect("SQLite");
    let server = Server { access, token_issuer, ..db.server("demo") };
    let readiness = Monitor::<NoMigrations>::new(&server, &db.database).readiness;
    let touched = Arc::new(AtomicUsize::new(0));
    let schema = Schema::new(Query, Mutation(Arc::clone(&touched)), Ticks);
    let (page, options) = (Page { title: "demo", tabs: &[], other: None }, Options::default());
    let (sdl, permissions, rest, metrics) = (String::new(), &PERMISSIONS, Router::new(), Metrics::new("demo"));
    let offered = ServiceRoutes {
        schema,
        options,
        sdl,
        permissions,
        page,
        rest,
        metrics: metrics.clone(),
        traces: Traces::default(),
        replica: None,
    };
    let service = TestService::start(|shutdown| {
        let router = gate::guard(&server, readiness, shutdown, offered, Vec::new()).expect("routes");
        Service { router, tasks: Vec::new(), metrics: metrics.clone(), traces: Traces::default() }
    });
    Api { service, touched, metrics, _db: db }
}

impl Api {
    fn client(&self) -> &GraphqlClient {
        &self.service.client
    }

    async fn ask(&self, authorization: &str, query: &str) -> Answer {
        let request = self.client().post().header("authorization", authorization);
        let request = request.header("content-type", "application/json");
        Answer::of(request.body(json!({ "query": query }).to_string())).await
    }

    /// When the keys were last read, in seconds since 1970, by the metrics.
    fn keys_read_at(&self) -> Option<i64> {
        let text = self.metrics.text();
        let line = text.lines().find_map(|line| line.strip_prefix("jwks_last_success_timestamp_seconds "));
        line.and_then(|seconds| seconds.parse().ok())
    }

    async fn status(&self, token: &str) -> u16 {
        self.ask(&format!("Bearer {token}"), "mutation { touch }").await.status
    }

    fn touched(&self) -> usize {
        self.touched.load(Ordering::SeqCst)
    }
}
