//! WebSockets and event streams behind the gate: logins, limits and shares.

mod newcomers;
mod shares;
mod users;

use std::sync::Arc;

use async_graphql::{
    EmptyMutation, Object, Schema, Subscription,
    futures_util::{Stream, stream},
};
use chassis::{
    Service,
    config::Access,
    gate::{
        connections::Limits,
        logins::{self, Authenticator},
    },
    metrics::Metrics,
    traces::Traces,
};
use futures_util::StreamExt;
use graphql_http::{Endpoint, Options};
use tempfile::NamedTempFile;
use testkit::TestService;

use crate::guarded::PERMISSIONS;

struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }
}

struct Ticks;

#[Subscription]
impl Ticks {
    async fn one_and_no_more(&self) -> impl Stream<Item = i32> {
        stream::iter([1]).chain(stream::pending())
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
        Access::HtpasswdFile { users: self.0.path().to_owned(), groups: None }
    }
}

struct Api {
    service: TestService,
    authenticator: Arc<Authenticator>,
}

fn serve() -> Api {
    serve_to(&Access::User { username: "admin".to_owned(), password: "teste123".into() }, Limits::default())
}

fn serve_to(access: &Access, limits: Limits) -> Api {
    let schema = Schema::new(Query, EmptyMutation, Ticks);
    let authenticator = Arc::new(Authenticator::new("demo", access, PERMISSIONS.roles).expect("users"));
    let endpoint = Endpoint::new(schema, Options::default()).with_authenticator(Arc::clone(&authenticator) as _);
    let router = logins::require(graphql_http::router(endpoint, String::new()), Arc::clone(&authenticator));
    let service = TestService::start_within(limits, |_| Service {
        router,
        tasks: Vec::new(),
        metrics: Metrics::new("demo"),
        traces: Traces::default(),
    });
    Api { service, authenticator }
}
