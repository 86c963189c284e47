//! Authentication by an htpasswd file.

mod groups;
mod hashes;
mod queue;

use std::{
    fs,
    time::{Duration, Instant},
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, Version,
    password_hash::{PasswordHash, Salt},
};
use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
use axum::Router;
use chassis::{
    config::{Access, Server},
    gate::{self, ServiceRoutes},
    health::Monitor,
    metrics::Metrics,
    traces::Traces,
};
use graphql_http::{Options, graphiql::Page};
use rstest::rstest;
use tempfile::NamedTempFile;
use testkit::{Backend, TestDatabase};
use tokio_util::sync::CancellationToken;

use crate::{
    guarded::{PERMISSIONS, ask, guard},
    health::NoMigrations,
};

/// bcrypt's lowest cost, for tests that do not depend on its slowness.
const FAST: u32 = 4;
/// Slow enough to tell a computed hash from a cached login.
const SLOW: u32 = 9;

fn bcrypt(password: &str, cost: u32) -> String {
    bcrypt::hash(password, cost).expect("a hash")
}

fn argon2(password: &str) -> String {
    let cheap = Params::new(16, 2, 1, None).expect("parameters");
    let salt = Salt::from_b64("c2FsdHNhbHQ").expect("a salt");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cheap);
    let hash: PasswordHash = argon2.hash_password(password.as_bytes(), salt).expect("a hash");
    hash.to_string()
}

/// An htpasswd file, which is removed when the first part is dropped.
fn htpasswd(lines: &str) -> (NamedTempFile, Access) {
    let file = NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), lines).expect("written");
    let access = Access::HtpasswdFile { users: file.path().to_owned(), groups: None };
    (file, access)
}

#[tokio::test]
async fn every_user_of_the_file_passes_with_the_own_password_only() {
    let as_apache_writes_it = bcrypt("three", FAST).replace("$2b$", "$2y$");
    let lines =
        format!("# users\n\none:{}\r\n two:{} \nthree:{as_apache_writes_it}", bcrypt("one", FAST), argon2("two"));
    let (_file, access) = htpasswd(&lines);
    let guarded = guard(&access);
    let users = ["one", "two", "three"];
    for user in users {
        for password in users {
            let expected = if user == password { 200 } else { 401 };
            assert_eq!(guarded.status(user, password).await, expected, "{user}:{password}");
        }
    }
    assert_eq!(guarded.reached(), 3);
}

#[tokio::test]
async fn an_unknown_user_does_not_pass_with_any_password() {
    let (_file, access) = htpasswd(&format!("one:{}", bcrypt("one", FAST)));
    let guarded = guard(&access);
    for (user, password) in [("two", "one"), ("", "one"), ("# one", "one"), ("one", "")] {
        assert_eq!(guarded.status(user, password).await, 401, "{user}:{password}");
    }
    assert_eq!(guarded.reached(), 0);
}

#[tokio::test]
async fn only_the_first_request_of_a_user_pays_for_the_hash() {
    let (_file, access) = htpasswd(&format!("one:{}", bcrypt("one", SLOW)));
    let guarded = guard(&access);
    let begin = Instant::now();
    assert_eq!(guarded.status("one", "one").await, 200);
    let first = begin.elapsed();
    let begin = Instant::now();
    for _ in 0..200 {
        assert_eq!(guarded.status("one", "one").await, 200);
    }
    let further = begin.elapsed();
    assert!(further < 20 * first, "200 requests took {further:?}, the first {first:?}");
}

#[tokio::test]
async fn a_remembered_password_admits_nobody_else() {
    let (_file, access) = htpasswd(&format!("one:{}\ntwo:{}", bcrypt("one", FAST), bcrypt("two", FAST)));
    let guarded = guard(&access);
    assert_eq!(guarded.status("one", "one").await, 200);
    for (user, password) in [("two", "one"), ("one", "two"), ("onet", "wo"), ("o", "neone")] {
        assert_eq!(guarded.status(user, password).await, 401, "{user}:{password}");
    }
}

#[tokio::test]
async fn a_removed_user_is_refused_though_remembered_and_a_new_one_is_let_in() {
    let [one, two, other] = ["one", "two", "other"].map(|password| bcrypt(password, FAST));
    let (file, access) = htpasswd(&format!("one:{one}\ntwo:{two}"));
    let guarded = guard(&access);
    for user in ["one", "two"] {
        assert_eq!(guarded.status(user, user).await, 200);
    }
    assert!(!guarded.authenticator.renew().expect("nothing new"));

    fs::write(file.path(), format!("two:{other}\nthree:{one}")).expect("written");
    assert!(guarded.authenticator.renew().expect("renewed"));
    for (user, password, status) in
        [("one", "one", 401), ("two", "two", 401), ("two", "other", 200), ("three", "one", 200)]
    {
        assert_eq!(guarded.status(user, password).await, status, "{user}:{password}");
    }
}

#[rstest]
#[case::malformed(Some("one"), "line 1: want NAME:HASH")]
#[case::empty(Some(""), "names no user")]
#[case::gone(None, "cannot read ")]
#[tokio::test]
async fn a_file_that_cannot_be_used_leaves_the_users_as_they_are_and_is_told_once(
    #[case] content: Option<&str>,
    #[case] problem: &str,
) {
    let lines = format!("one:{}", bcrypt("one", FAST));
    let (file, access) = htpasswd(&lines);
    let guarded = guard(&access);
    match content {
        Some(content) => fs::write(file.path(), content).expect("written"),
        None => fs::remove_file(file.path()).expect("removed"),
    }
    let error = guarded.authenticator.renew().expect_err("not usable").to_string();
    assert!(error.contains(problem) && error.contains(&file.path().display().to_string()), "{error}");
    assert!(!guarded.authenticator.renew().expect("told once"));
    assert_eq!(guarded.status("one", "one").await, 200);

    fs::write(file.path(), format!("{lines}\n")).expect("written");
    assert!(guarded.authenticator.renew().expect("renewed"));
    assert_eq!(guarded.status("one", "one").await, 200);
}

struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }
}

#[tokio::test]
async fn a_service_looks_at_the_file_while_it_runs() {
    let Some(db) = TestDatabase::empty(Backend::Sqlite).await else { return };
    let (file, access) = htpasswd(&format!("one:{}", bcrypt("one", FAST)));
    let server = Server { access, ..db.server("demo") };
    let readiness = Monitor::<NoMigrations>::new(&server, &db.database).readiness;
    let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
    let (page, options) = (Page { title: "demo", tabs: &[], other: None }, Options::default());
    let (sdl, permissions, rest) = (String::new(), &PERMISSIONS, Router::new());
    let offered = ServiceRoutes {
        schema,
        options,
        sdl,
        permissions,
        page,
        rest,
        metrics: Metrics::new("demo"),
        traces: Traces::default(),
        replica: None,
    };
    let router = gate::guard(&server, readiness, &CancellationToken::new(), offered, Vec::new()).expect("routes");

    tokio::time::pause();
    assert_eq!(ask(&router, "192.0.2.1", "one:one", &[]).await.status(), 404, "past the door there is nothing at /");
    fs::write(file.path(), format!("two:{}", bcrypt("two", FAST))).expect("written");
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(ask(&router, "192.0.2.1", "one:one", &[]).await.status(), 401);
}
