//! Operations with several answers: over a WebSocket and as server-sent events.

mod event_stream;
mod newcomers;
mod shares;
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
    server::Limits,
};
use futures_util::StreamExt;
use tempfile::NamedTempFile;
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

/// An htpasswd file of users with the development password.
struct Users(NamedTempFile);

impl Users {
    fn of(names: &[&str]) -> Self {
        let users = Self(NamedTempFile::new().expect("a file"));
        users.become_these(names);
        users
    }

    fn become_these(&self, names: &[&str]) {
        let hash = bcrypt::hash("teste123", 4).expect("a hash");
        let lines: Vec<_> = names.iter().map(|name| format!("{name}:{hash}")).collect();
        std::fs::write(self.0.path(), lines.join("\n")).expect("written");
    }

    fn access(&self) -> Access {
        Access::HtpasswdFile(self.0.path().to_owned())
    }
}

struct Api {
    service: TestService,
    shutdown: CancellationToken,
    touched: Arc<AtomicUsize>,
    authenticator: Arc<Authenticator>,
}

fn serve() -> Api {
    serve_to(&Access::User { username: "admin".to_owned(), password: "teste123".into() }, Limits::default())
}

fn serve_to(access: &Access, limits: Limits) -> Api {
    let (touched, shutdown) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
    let schema = Schema::new(Query, Mutation(Arc::clone(&touched)), Ticks);
    let authenticator = Arc::new(Authenticator::new("demo", access).expect("users"));
    let endpoint = Endpoint::new(schema).until(shutdown.clone());
    let router = auth::require(graphql::router(endpoint.clone(), String::new()), Arc::clone(&authenticator));
    let router = graphql::websocket::before(router, endpoint, Arc::clone(&authenticator));
    let service = TestService::start_within(limits, |_| Service { router, tasks: Vec::new() });
    Api { service, shutdown, touched, authenticator }
}
