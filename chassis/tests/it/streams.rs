//! Operations with several answers: over a WebSocket and as server-sent events.

mod event_stream;
mod websocket;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_graphql::{
    Object, Schema, Subscription,
    futures_util::{Stream, stream},
};
use chassis::{
    Service,
    auth::{self, Authenticator},
    config::Access,
    graphql::{self, Endpoint},
};
use futures_util::StreamExt;
use testkit::TestService;
use tokio_util::sync::CancellationToken;

struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }

    async fn long(&self, length: usize) -> String {
        "x".repeat(length)
    }
}

struct Mutation(Arc<AtomicUsize>);

#[Object]
impl Mutation {
    async fn touch(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

struct Ticks;

#[Subscription]
impl Ticks {
    async fn ticks(&self, to: i32) -> impl Stream<Item = i32> {
        stream::iter(1..=to)
    }

    async fn longer_and_longer(&self) -> impl Stream<Item = String> {
        stream::iter([10, 2 * 1024 * 1024, 20].map(|length| "x".repeat(length)))
    }

    async fn one_and_no_more(&self) -> impl Stream<Item = i32> {
        stream::iter([1]).chain(stream::pending())
    }

    async fn fault(&self) -> impl Stream<Item = async_graphql::Result<i32>> {
        stream::iter([Ok(1), Err("cannot reach postgres://admin:hunter2@db".into())])
    }
}

struct Api {
    service: TestService,
    shutdown: CancellationToken,
    touched: Arc<AtomicUsize>,
}

fn serve() -> Api {
    let (touched, shutdown) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
    let schema = Schema::new(Query, Mutation(Arc::clone(&touched)), Ticks);
    let access = Access::User { username: "admin".to_owned(), password: "teste123".into() };
    let authenticator = Arc::new(Authenticator::new("demo", &access).expect("users"));
    let endpoint = Endpoint::new(schema).until(shutdown.clone());
    let router = auth::require(graphql::router(endpoint.clone(), String::new()), Arc::clone(&authenticator));
    let router = graphql::websocket::before(router, endpoint, authenticator);
    let service = TestService::start(|_| Service { router, tasks: Vec::new() });
    Api { service, shutdown, touched }
}
