//! A handler behind HTTP Basic that counts the requests which reach it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::Router;
use chassis::{
    Service,
    auth::{self, Authenticator},
    config::Access,
};
use testkit::{Answer, GraphqlClient, TestService};

pub(crate) struct Guarded {
    service: TestService,
    reached: Arc<AtomicUsize>,
}

pub(crate) fn guard(access: &Access) -> Guarded {
    guard_beside(access, Router::new())
}

/// The guarded handler beside routes that are open.
pub(crate) fn guard_beside(access: &Access, open: Router) -> Guarded {
    let reached = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&reached);
    let handler = Router::new().fallback(async move || counter.fetch_add(1, Ordering::SeqCst).to_string());
    let authenticator = Authenticator::new("demo", access).expect("users");
    let router = auth::require(handler, Arc::new(authenticator)).merge(open);
    Guarded { service: TestService::start(|_| Service { router, tasks: Vec::new() }), reached }
}

impl Guarded {
    pub(crate) fn client(&self) -> &GraphqlClient {
        &self.service.client
    }

    /// How many requests reached the handler.
    pub(crate) fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }

    /// Asks with this Authorization header.
    pub(crate) async fn ask(&self, authorization: &str) -> Answer {
        Answer::of(self.client().get("/").header("authorization", authorization)).await
    }

    /// The status for a user.
    pub(crate) async fn status(&self, username: &str, password: &str) -> u16 {
        Answer::of(self.client().get("/").basic_auth(username, Some(password))).await.status
    }
}
