//! A small API, served as services serve theirs.

use std::{
    future::ready,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_graphql::{ComplexObject, EmptySubscription, Enum, Object, Result, Schema, SimpleObject};
use axum::Router;
use chassis::{
    Service, config,
    graphql::{self, cost::page_cost},
};
use sea_orm::{DbErr, RuntimeErr};
use serde_json::Value;
use testkit::{Answer, GraphqlClient, TestService};

/// What no client may read.
pub(super) const SECRET: &str = "cannot reach postgres://admin:hunter2@db";

pub(super) struct Api {
    pub(super) client: GraphqlClient,
    touched: Arc<AtomicUsize>,
    _service: TestService,
}

struct Query;

#[Object]
impl Query {
    async fn hello(&self, #[graphql(default = "world")] name: String) -> String {
        format!("hello {name}")
    }

    async fn count(&self, to: i32) -> i32 {
        to
    }

    async fn choose(&self, one: Choice) -> bool {
        one == Choice::Yes
    }

    async fn sum(&self, numbers: Vec<i32>) -> i32 {
        numbers.iter().sum()
    }

    async fn nested(&self) -> Nested {
        Nested { value: 1 }
    }

    #[graphql(complexity = "page_cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn page(&self, first: Option<i32>, last: Option<i32>) -> Vec<Nested> {
        let length = first.or(last).unwrap_or(20);
        (0..length).map(|value| Nested { value }).collect()
    }

    async fn fault(&self) -> Result<String> {
        Ok(ready(fail()).await?)
    }

    async fn nullable_fault(&self) -> Option<Result<String>> {
        Some(fail().map_err(Into::into))
    }

    /// As a resolver fails whose database cannot be reached.
    async fn without_database(&self) -> Option<Result<String>> {
        Some(Err(DbErr::Conn(RuntimeErr::Internal(SECRET.to_owned())).into()))
    }

    async fn panics(&self) -> bool {
        explode()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum Choice {
    Yes,
    No,
}

/// An object within itself, as deep as one asks.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
struct Nested {
    value: i32,
}

#[ComplexObject]
impl Nested {
    async fn nested(&self) -> Nested {
        self.clone()
    }
}

fn fail() -> io::Result<String> {
    Err(io::Error::other(SECRET))
}

fn explode() -> bool {
    panic!("{SECRET}")
}

struct Mutation(Arc<AtomicUsize>);

#[Object]
impl Mutation {
    async fn touch(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// The routes alone, and how often `touch` ran.
pub(super) fn routes() -> (Router, Arc<AtomicUsize>) {
    routes_as(&config::Api::default()).expect("nothing to read")
}

fn routes_as(settings: &config::Api) -> anyhow::Result<(Router, Arc<AtomicUsize>)> {
    let touched = Arc::new(AtomicUsize::new(0));
    let schema = Schema::build(Query, Mutation(Arc::clone(&touched)), EmptySubscription);
    let schema = graphql::limits::bound(schema, settings).finish();
    let sdl = schema.sdl();
    Ok((graphql::router(graphql::Endpoint::with(schema, settings)?, sdl), touched))
}

pub(super) fn serve() -> Api {
    start(routes())
}

/// Serves as `settings` say, if it starts.
pub(super) fn serve_as(settings: &config::Api) -> anyhow::Result<Api> {
    routes_as(settings).map(start)
}

fn start((router, touched): (Router, Arc<AtomicUsize>)) -> Api {
    let service = TestService::start(|_| Service { router, tasks: Vec::new() });
    Api { client: service.client.clone(), touched, _service: service }
}

impl Api {
    /// How often the mutation ran.
    pub(super) fn touched(&self) -> usize {
        self.touched.load(Ordering::SeqCst)
    }

    pub(super) async fn get(&self, parameters: &[(&str, &str)]) -> Answer {
        let url = reqwest::Url::parse_with_params("http://any/", parameters).expect("a URL");
        Answer::of(self.client.get(&format!("/graphql?{}", url.query().unwrap_or_default()))).await
    }

    pub(super) async fn post(&self, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
        Answer::of(self.client.post().header("content-type", content_type).body(body)).await
    }

    pub(super) async fn post_json(&self, body: Value) -> Answer {
        self.post("application/json", body.to_string()).await
    }

    /// Sends a document for an answer in `media_type`.
    pub(super) async fn ask_in(&self, media_type: &str, document: &str) -> Answer {
        let body = serde_json::json!({ "query": document }).to_string();
        let request = self.client.post().header("content-type", "application/json").header("accept", media_type);
        Answer::of(request.body(body)).await
    }
}
