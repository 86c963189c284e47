//! Who may call: the users of an htpasswd file.

use std::time::Instant;

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, Version,
    password_hash::{PasswordHash, Salt},
};
use chassis::{auth::Authenticator, config::Access};
use rstest::rstest;
use tempfile::NamedTempFile;

use crate::guarded::guard;

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
