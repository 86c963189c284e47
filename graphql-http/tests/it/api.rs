//! A small API with a field of each kind.

use std::{
    future::ready,
    io,
    net::TcpListener,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_graphql::{ComplexObject, EmptySubscription, Enum, Object, Result, Schema, ServerError, SimpleObject};
use axum::Router;
use graphql_http::{DocumentsError, Endpoint, Options, complexity::page_cost, refusal::Refusal};
use serde_json::Value;
use testkit::{Answer, GraphqlClient};
use tokio_util::sync::{CancellationToken, DropGuard};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

/// A text that no client may read.
pub(super) const SECRET: &str = "cannot reach postgres://admin:hunter2@db";

pub(super) struct Api {
    pub(super) client: GraphqlClient,
    touched: Arc<AtomicUsize>,
    _server: DropGuard,
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

    async fn without_database(&self) -> Option<Result<String>> {
        Some(Err(Unavailable.into()))
    }

    async fn overloaded(&self) -> Option<Result<String>> {
        Some(Err(Refusal { message: "Too many wait".to_owned(), code: "OVERLOADED" }.into()))
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

/// An object that contains itself, to any depth.
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

/// The error of a backend that the application classifies.
#[derive(Debug, thiserror::Error)]
#[error("{SECRET}")]
struct Unavailable;

fn classify(error: &ServerError) -> Option<Refusal> {
    error.source::<Unavailable>()?;
    Some(Refusal { message: "Try again in a moment".to_owned(), code: "UNAVAILABLE" })
}

/// The routes alone, and the number of times that `touch` ran.
pub(super) fn routes() -> (Router, Arc<AtomicUsize>) {
    routes_with(Options::default(), None).expect("nothing to read")
}

fn routes_with(options: Options, trusted: Option<&Path>) -> Result<(Router, Arc<AtomicUsize>), DocumentsError> {
    let touched = Arc::new(AtomicUsize::new(0));
    let schema = options.apply(Schema::build(Query, Mutation(Arc::clone(&touched)), EmptySubscription)).finish();
    let sdl = schema.sdl();
    let mut endpoint = Endpoint::new(schema, options).with_error_classifier(classify);
    if let Some(directory) = trusted {
        endpoint = endpoint.with_trusted_documents(directory)?;
    }
    let ids = (SetRequestIdLayer::x_request_id(MakeRequestUuid), PropagateRequestIdLayer::x_request_id());
    Ok((graphql_http::router(endpoint, sdl).layer(ids), touched))
}

pub(super) fn serve() -> Api {
    start(routes())
}

pub(super) fn serve_with(options: Options) -> Api {
    start(routes_with(options, None).expect("nothing to read"))
}

/// Serves only the documents of a directory, if they can be read.
pub(super) fn serve_trusting(directory: &Path) -> Result<Api, DocumentsError> {
    routes_with(Options::default(), Some(directory)).map(start)
}

fn start((router, touched): (Router, Arc<AtomicUsize>)) -> Api {
    let (client, server) = listen(router);
    Api { client, touched, _server: server }
}

/// Serves on a free port until the guard is dropped.
pub(super) fn listen(router: Router) -> (GraphqlClient, DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("set");
    let client = GraphqlClient::new(format!("http://{}", listener.local_addr().expect("an address")));
    let (listener, end) = (tokio::net::TcpListener::from_std(listener).expect("a listener"), CancellationToken::new());
    let serving = axum::serve(listener, router).into_future();
    tokio::spawn(end.clone().run_until_cancelled_owned(serving));
    (client, end.drop_guard())
}

impl Api {
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

    /// Sends a document and asks for a response in `media_type`.
    pub(super) async fn ask_in(&self, media_type: &str, document: &str) -> Answer {
        let body = serde_json::json!({ "query": document }).to_string();
        let request = self.client.post().header("content-type", "application/json").header("accept", media_type);
        Answer::of(request.body(body)).await
    }
}
