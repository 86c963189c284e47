//! Authentication of a single user.

use base64::{Engine, prelude::BASE64_STANDARD};
use chassis::{
    config::Access,
    health::{self, Monitor},
};
use rstest::rstest;
use testkit::{Answer, Backend, TestDatabase};
use tokio_util::sync::CancellationToken;

use crate::{
    guarded::{Guarded, basic, guard, guard_beside},
    health::NoMigrations,
};

fn admin() -> Access {
    Access::User { username: "admin".to_owned(), password: "s3cret: \u{e7}".into() }
}

fn one_user() -> Guarded {
    guard(&admin())
}

fn assert_challenged(answer: &Answer) {
    assert_eq!((answer.status, answer.code()), (401, "UNAUTHENTICATED"));
    assert_eq!(answer.headers["www-authenticate"], "Basic realm=\"demo\", charset=\"UTF-8\"");
    assert_eq!(answer.headers["content-type"], "application/json");
}

#[rstest]
#[case::in_capitals(basic("admin:s3cret: \u{e7}"))]
#[case::in_small_letters(basic("admin:s3cret: \u{e7}").replace("Basic", "basic"))]
#[tokio::test]
async fn the_user_passes(#[case] authorization: String) {
    let guarded = one_user();
    assert_eq!(guarded.ask(&authorization).await.status, 200);
    assert_eq!(guarded.reached(), 1);
}

#[tokio::test]
async fn a_request_without_credentials_is_challenged() {
    let guarded = one_user();
    assert_challenged(&Answer::of(guarded.client().get("/")).await);
    assert_eq!(guarded.reached(), 0);
}

#[rstest]
#[case::another_password(basic("admin:s3cret"))]
#[case::another_user(basic("root:s3cret: \u{e7}"))]
#[case::a_colon_elsewhere(basic("admin:s3cret:: \u{e7}"))]
#[case::nothing_but_a_colon(basic(":"))]
#[case::no_password(basic("admin"))]
#[case::no_credentials("Basic ".to_owned())]
#[case::nothing(String::new())]
#[case::no_base64("Basic %%%".to_owned())]
#[case::no_text("Basic //79".to_owned())]
#[case::a_token("Bearer czNjcmV0".to_owned())]
#[case::no_scheme(BASE64_STANDARD.encode("admin:s3cret: \u{e7}"))]
#[case::ten_kilobytes(basic(&format!("admin:{}", "x".repeat(10_000))))]
#[tokio::test]
async fn other_credentials_do_not_reach_the_handler(#[case] authorization: String) {
    let guarded = one_user();
    assert_challenged(&guarded.ask(&authorization).await);
    assert_eq!(guarded.reached(), 0);
}

#[tokio::test]
async fn a_path_that_does_not_exist_is_guarded_too() {
    assert_challenged(&Answer::of(one_user().client().get("/nowhere")).await);
}

#[rstest]
#[case("/livez")]
#[case("/readyz")]
#[tokio::test]
async fn health_is_open_to_all(#[case] path: &str) {
    let Some(db) = TestDatabase::empty(Backend::Sqlite).await else { return };
    let mut monitor = Monitor::<NoMigrations>::new(&db.server("service"), &db.database);
    monitor.check().await;
    let open = health::router(monitor.readiness, CancellationToken::new(), Vec::new());
    let guarded = guard_beside(&admin(), open);
    let answer = guarded.client().get(path).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.expect("a text"), "ok");
}
