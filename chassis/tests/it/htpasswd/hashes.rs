//! Hashes that are accepted, and files that are not.

use chassis::gate::logins::Authenticator;
use rstest::rstest;

use super::{FAST, bcrypt, htpasswd};
use crate::guarded::guard;

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
    let error = Authenticator::new("demo", &access, &[]).expect_err("refused").to_string();
    assert!(error.starts_with(&format!("{} line 3: ", file.path().display())), "{error}");
    assert!(hash.is_empty() || !error.contains(hash), "a password that was not hashed is not logged: {error}");
}

#[test]
fn a_file_without_users_or_no_file_is_refused() {
    let (file, access) = htpasswd("# nobody\n");
    let error = Authenticator::new("demo", &access, &[]).expect_err("refused").to_string();
    assert!(error.ends_with("names no user"), "{error}");
    drop(file);
    let error = Authenticator::new("demo", &access, &[]).expect_err("refused").to_string();
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
