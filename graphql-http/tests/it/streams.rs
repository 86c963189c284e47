//! Operations with several results: over a WebSocket and as server-sent events.

mod event_stream;
mod upgrades;
mod websocket;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_graphql::{
    Context, Object, Schema, Subscription,
    futures_util::{Stream, stream},
};
use axum::{
    extract::{Request, State},
    http::{StatusCode, header, request::Parts},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use futures_util::{
    StreamExt,
    future::{BoxFuture, ready},
};
use graphql_http::{Authenticate, Caller, Endpoint, Options, Rejected};
use serde_json::Value;
use testkit::GraphqlClient;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::api::listen;

const RIGHT: &str = "Basic YWRtaW46dGVzdGUxMjM=";
const WRONG: &str = "Basic YWRtaW46d3Jvbmc=";

struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }

    async fn caller(&self, ctx: &Context<'_>) -> String {
        ctx.data_unchecked::<Caller>().name.to_string()
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

/// An authenticator with one user.
#[derive(Clone)]
struct OneUser {
    expired: CancellationToken,
    expires_at: Option<Instant>,
}

impl OneUser {
    fn check(&self, credentials: Option<&str>) -> Option<Caller> {
        (credentials == Some(RIGHT)).then(|| Caller {
            name: "admin".into(),
            expired: self.expired.clone(),
            expires_at: self.expires_at,
            ..Caller::default()
        })
    }
}

impl Authenticate for OneUser {
    fn authenticate<'a>(&'a self, _: &'a Parts, payload: Option<&'a Value>) -> BoxFuture<'a, Result<Caller, Rejected>> {
        let given = payload.and_then(|payload| payload.get("Authorization").or_else(|| payload.get("authorization")));
        Box::pin(ready(self.check(given.and_then(Value::as_str)).ok_or(Rejected::Forbidden)))
    }
}

async fn check(State(user): State<OneUser>, mut request: Request, next: Next) -> Response {
    let credentials = request.headers().get(header::AUTHORIZATION).and_then(|given| given.to_str().ok());
    match user.check(credentials) {
        Some(caller) => drop(request.extensions_mut().insert(caller)),
        None if credentials.is_none() && graphql_http::is_websocket(&request) => {}
        None => return StatusCode::UNAUTHORIZED.into_response(),
    }
    next.run(request).await
}

struct Api {
    client: GraphqlClient,
    shutdown: CancellationToken,
    expired: CancellationToken,
    touched: Arc<AtomicUsize>,
    _server: DropGuard,
}

fn serve() -> Api {
    serve_until(None)
}

/// A service where the credentials of the one user expire then.
fn serve_until(expires_at: Option<Instant>) -> Api {
    let (touched, shutdown, expired) =
        (Arc::new(AtomicUsize::new(0)), CancellationToken::new(), CancellationToken::new());
    let schema = Schema::new(Query, Mutation(Arc::clone(&touched)), Ticks);
    let user = OneUser { expired: expired.clone(), expires_at };
    let endpoint = Endpoint::new(schema, Options::default())
        .with_authenticator(Arc::new(user.clone()))
        .with_shutdown(shutdown.clone());
    let router = graphql_http::router(endpoint, String::new()).layer(from_fn_with_state(user, check));
    let (client, server) = listen(router);
    Api { client, shutdown, expired, touched, _server: server }
}
