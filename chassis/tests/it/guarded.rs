//! A handler behind HTTP Basic that counts its requests.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    http::{HeaderName, header},
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use chassis::{
    Service,
    config::Access,
    gate::logins::{self, Authenticator},
    metrics::Metrics,
    traces::Traces,
};
use graphql_http::{Permissions, Rule};
use testkit::{Answer, GraphqlClient, TestService};
use tower::ServiceExt;

/// What the tests ask for, and the roles for it.
pub(crate) static PERMISSIONS: Permissions = Permissions {
    roles: &["reader", "writer"],
    root_fields: &[Rule::new("hello", &["reader"]), Rule::new("touch", &["writer"])],
    sensitive: &[],
};

pub(crate) struct Guarded {
    service: TestService,
    router: Router,
    reached: Arc<AtomicUsize>,
    pub(crate) authenticator: Arc<Authenticator>,
}

pub(crate) fn guard(access: &Access) -> Guarded {
    guard_beside(access, Router::new())
}

/// The guarded handler beside open routes.
pub(crate) fn guard_beside(access: &Access, open: Router) -> Guarded {
    guard_all(Authenticator::new("demo", access, PERMISSIONS.roles).expect("users"), open)
}

/// The guarded handler behind this authenticator.
pub(crate) fn guard_with(authenticator: Authenticator) -> Guarded {
    guard_all(authenticator, Router::new())
}

fn guard_all(authenticator: Authenticator, open: Router) -> Guarded {
    let reached = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&reached);
    let handler = Router::new().fallback(async move || counter.fetch_add(1, Ordering::SeqCst).to_string());
    let authenticator = Arc::new(authenticator);
    let router = logins::require(handler, Arc::clone(&authenticator)).merge(open);
    let service = TestService::start(|_| Service {
        router: router.clone(),
        tasks: Vec::new(),
        metrics: Metrics::new("demo"),
        traces: Traces::default(),
    });
    Guarded { service, router, reached, authenticator }
}

/// The header value of HTTP Basic.
pub(crate) fn basic(credentials: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(credentials))
}

impl Guarded {
    pub(crate) fn client(&self) -> &GraphqlClient {
        &self.service.client
    }

    /// Number of requests that reached the handler.
    pub(crate) fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }

    /// Sends a request with this Authorization header.
    pub(crate) async fn ask(&self, authorization: &str) -> Answer {
        Answer::of(self.client().get("/").header("authorization", authorization)).await
    }

    /// The status of a user's request.
    pub(crate) async fn status(&self, username: &str, password: &str) -> u16 {
        Answer::of(self.client().get("/").basic_auth(username, Some(password))).await.status
    }

    /// The response to a client at `address` with these credentials; without a socket, so that time can be paused.
    pub(crate) async fn from(&self, address: &str, credentials: &str) -> Response {
        self.through_proxies(address, credentials, &[]).await
    }

    /// The same with further headers.
    pub(crate) async fn through_proxies(
        &self,
        address: &str,
        credentials: &str,
        headers: &[(HeaderName, &str)],
    ) -> Response {
        ask(&self.router, address, credentials, headers).await
    }
}

/// The response of `router` to a client at `address`, without a socket.
pub(crate) async fn ask(router: &Router, address: &str, credentials: &str, headers: &[(HeaderName, &str)]) -> Response {
    let peer: IpAddr = address.parse().expect("an address");
    let request = Request::builder().header(header::AUTHORIZATION, basic(credentials));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
    let mut request = request.body(Body::empty()).expect("a request");
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer, 50_000)));
    router.clone().oneshot(request).await.expect("infallible")
}
