//! Who may call: the users of an htpasswd file.

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
    gate::{self, ServiceRoutes, logins::Authenticator},
    health::Monitor,
};
use futures_util::{FutureExt, future::join_all};
use graphql_http::{Options, graphiql::Page};
use rstest::rstest;
use tempfile::NamedTempFile;
use testkit::{Backend, TestDatabase};
use tokio_util::sync::CancellationToken;

use crate::{
    guarded::{Guarded, ask, guard},
    health::NoMigrations,
};

/// The least that bcrypt takes, for tests that are not about its slowness.
const FAST: u32 = 4;
/// Slow enough to tell a computed hash from a remembered one.
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

/// An htpasswd file, which goes when the first part is dropped.
fn htpasswd(lines: &str) -> (NamedTempFile, Access) {
    let file = NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), lines).expect("written");
    let access = Access::HtpasswdFile(file.path().to_owned());
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

#[rstest]
#[case::plain("s3cret")]
#[case::md5("$apr1$lZL6V/ci$eIMz/iKDkbtys/uU7LEK00")]
#[case::sha1("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=")]
#[case::crypt("rl.3StKT.4T8M")]
#[case::sha256_crypt("$5$rounds=5000$saltsalt$ErAJzPmLW/zYzcXrBFi7sKe3lb4FuPK1l5mZIb.XTKD")]
#[case::half_a_bcrypt("$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT")]
#[case::half_an_argon2("$argon2id$v=19$m=16")]
#[case::nothing("")]
fn a_weak_or_malformed_hash_is_refused_with_its_line(#[case] hash: &str) {
    let (file, access) = htpasswd(&format!("# users\none:{}\ntwo:{hash}\n", bcrypt("one", FAST)));
    let error = Authenticator::new("demo", &access).expect_err("refused").to_string();
    assert!(error.starts_with(&format!("{} line 3: ", file.path().display())), "{error}");
    assert!(hash.is_empty() || !error.contains(hash), "a password that was not hashed is not logged: {error}");
}

#[test]
fn a_file_without_users_or_no_file_is_refused() {
    let (file, access) = htpasswd("# nobody\n");
    let error = Authenticator::new("demo", &access).expect_err("refused").to_string();
    assert!(error.ends_with("names no user"), "{error}");
    drop(file);
    let error = Authenticator::new("demo", &access).expect_err("refused").to_string();
    assert!(error.starts_with("cannot read "), "{error}");
}

#[tokio::test]
async fn no_text_after_the_72_bytes_that_bcrypt_reads_is_accepted() {
    let password = "x".repeat(72);
    let (_file, access) = htpasswd(&format!("one:{}", bcrypt(&password, FAST)));
    let guarded = guard(&access);
    assert_eq!(guarded.status("one", &password).await, 200);
    assert_eq!(guarded.status("one", &format!("{password}y")).await, 401);
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_free_its_place_while_its_hash_is_computed() {
    const SLOWER: u32 = SLOW + 2;
    let (_file, access) = htpasswd(&format!("slow:{}\nfast:{}", bcrypt("slow", SLOWER), bcrypt("fast", FAST)));
    let guarded = guard(&access);
    let begin = Instant::now();
    assert_eq!(guarded.from("192.0.2.1", "slow:wrong").await.status(), 401);
    let hash = begin.elapsed();

    let begin = Instant::now();
    for guess in 0..3 {
        let credentials = format!("slow:wrong{guess}");
        let mut guessing = std::pin::pin!(guarded.from("192.0.2.1", &credentials));
        // Once is enough to begin. Then the client is gone.
        assert!(futures_util::poll!(&mut guessing).is_pending());
    }
    assert_eq!(guarded.from("192.0.2.2", "fast:fast").await.status(), 200);
    let waited = begin.elapsed();
    assert!(waited > hash / 4, "it waited for {waited:?}, and a hash takes {hash:?}");
}

/// A hash is computed for a long time, beside which others wait.
async fn while_a_hash_is_computed<F: Future>(guarded: &Guarded, then: F) -> F::Output {
    let mut guessing = std::pin::pin!(guarded.from("192.0.2.1", "slow:wrong"));
    assert!(futures_util::poll!(&mut guessing).is_pending());
    then.await
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_five_seconds_is_told_to_come_again() {
    let (_file, access) = htpasswd(&format!("slow:{}", bcrypt("slow", SLOW + 2)));
    let guarded = guard(&access);
    let refusal = while_a_hash_is_computed(&guarded, async {
        let mut waiting = std::pin::pin!(guarded.from("192.0.2.2", "slow:slow"));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        tokio::time::advance(Duration::from_secs(5)).await;
        waiting.now_or_never().expect("an answer")
    });
    let refusal = refusal.await;
    assert_eq!((refusal.status().as_u16(), refusal.headers()["retry-after"].as_bytes()), (503, "5".as_bytes()));
}

#[tokio::test(start_paused = true)]
async fn beyond_256_waiting_logins_others_are_told_to_come_again() {
    let (_file, access) = htpasswd(&format!("slow:{}", bcrypt("slow", SLOW + 2)));
    let guarded = guard(&access);
    let refusal = while_a_hash_is_computed(&guarded, async {
        let mut waiting: Vec<_> = (0..256).map(|_| Box::pin(guarded.from("192.0.2.2", "slow:slow"))).collect();
        for login in &mut waiting {
            assert!(futures_util::poll!(login).is_pending());
        }
        guarded.from("192.0.2.3", "slow:slow").now_or_never().expect("an answer")
    });
    assert_eq!(refusal.await.status(), 503);
}

#[tokio::test]
async fn of_200_guesses_at_once_ten_cost_a_hash_and_the_user_behind_them_is_let_in() {
    let (_file, access) = htpasswd(&format!("one:{}", bcrypt("one", FAST)));
    let guarded = guard(&access);
    let guesses: Vec<_> = (0..200).map(|guess| format!("one:{guess}")).collect();
    let guessing = join_all(guesses.iter().map(|guess| guarded.from("192.0.2.1", guess)));
    let (answered, admitted) = tokio::join!(guessing, guarded.from("192.0.2.2", "one:one"));
    assert_eq!(admitted.status(), 200);
    let answers = |status: u16| answered.iter().filter(|answer| answer.status() == status).count();
    assert_eq!((answers(401), answers(429)), (10, 190));
}

#[tokio::test]
async fn logins_of_one_user_at_once_are_all_let_in() {
    let (_file, access) = htpasswd(&format!("one:{}", bcrypt("one", FAST)));
    let guarded = guard(&access);
    let admitted = join_all((0..50).map(|_| guarded.from("192.0.2.1", "one:one"))).await;
    assert!(admitted.iter().all(|answer| answer.status() == 200));
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
    let (page, options) = (Page { title: "demo", tabs: &[] }, Options::default());
    let routes = ServiceRoutes { schema, options, sdl: String::new(), page, rest: Router::new() };
    let router = gate::guard(&server, readiness, &CancellationToken::new(), routes, Vec::new()).expect("routes");

    tokio::time::pause();
    assert_eq!(ask(&router, "192.0.2.1", "one:one", &[]).await.status(), 404, "past the door there is nothing at /");
    fs::write(file.path(), format!("two:{}", bcrypt("two", FAST))).expect("written");
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(ask(&router, "192.0.2.1", "one:one", &[]).await.status(), 401);
}
