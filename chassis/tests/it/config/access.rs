//! Secrets and passwords.

use std::path::Path;

use chassis::config::Access;
use rstest::rstest;
use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::{refusal, resolve, user};

fn file(content: &str) -> (TempDir, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("secret");
    std::fs::write(&file, content).expect("written");
    (directory, file.display().to_string())
}

#[rstest]
#[case::as_it_is("s3cret", "s3cret")]
#[case::without_the_line_break("s3cret\n", "s3cret")]
#[case::without_the_line_break_of_windows("s3cret\r\n", "s3cret")]
#[case::with_its_blanks(" s3 cret \n", " s3 cret ")]
fn a_secret_may_come_from_a_file(#[case] content: &str, #[case] secret: &str) {
    let (_directory, file) = file(content);
    let flags = [format!("--demo-password-file={file}"), format!("--demo-database-url-file={file}")];
    let server = resolve(&[&flags[0], &flags[1]]).expect("settings");
    assert_eq!((user(&server).1, server.database_url.expose_secret()), (secret, secret));
}

#[test]
fn a_secret_and_its_file_together_are_refused_by_name() {
    let (_directory, file) = file("s3cret");
    for flag in ["--demo-password", "--demo-database-url"] {
        let message = refusal(&[&format!("{flag}=x"), &format!("{flag}-file={file}")]);
        assert_eq!(message, format!("give {flag} or {flag}-file, not both"));
    }
}

#[test]
fn a_secret_file_that_is_empty_or_missing_is_refused_by_name() {
    let (_directory, empty) = file("\n");
    for (path, problem) in [(empty.as_str(), "is empty"), ("/nowhere", "cannot read /nowhere")] {
        let message = refusal(&["--demo-password-file", path]);
        assert!(message.starts_with("--demo-password-file: ") && message.ends_with(problem), "{message}");
    }
}

#[test]
fn an_empty_secret_is_refused_but_gives_way_to_a_file() {
    let (_directory, file) = file("s3cret");
    assert_eq!(refusal(&["--demo-password="]), "--demo-password is empty");
    let server = resolve(&["--demo-password=", &format!("--demo-password-file={file}")]).expect("settings");
    assert_eq!(user(&server).1, "s3cret");
}

#[test]
fn an_htpasswd_file_replaces_the_one_user() {
    let server = resolve(&["--demo-htpasswd-file=/users", "--demo-bind=0.0.0.0:1"]).expect("settings");
    assert!(matches!(&server.access, Access::HtpasswdFile { users, groups: None } if users == Path::new("/users")));
    assert!(!server.exposes_development_password());
    let (_directory, file) = file("s3cret");
    for user in ["--demo-username=me", "--demo-password=p", &format!("--demo-password-file={file}")] {
        let message = refusal(&["--demo-htpasswd-file=/users", user]);
        assert_eq!(message, "give --demo-htpasswd-file or a user name and password, not both");
    }
}

#[test]
fn a_group_file_belongs_to_an_htpasswd_file() {
    let server = resolve(&["--demo-htpasswd-file=/users", "--demo-groups-file=/groups"]).expect("settings");
    assert!(
        matches!(&server.access, Access::HtpasswdFile { groups: Some(groups), .. } if groups == Path::new("/groups"))
    );
    let message = refusal(&["--demo-groups-file=/groups"]);
    assert!(message.contains("--demo-groups-file") && message.contains("--demo-htpasswd-file"), "{message}");
}

#[rstest]
#[case::loopback("127.0.0.1:1", "teste123", false)]
#[case::loopback_of_ipv6("[::1]:1", "teste123", false)]
#[case::all_addresses("0.0.0.0:1", "teste123", true)]
#[case::all_addresses_of_ipv6("[::]:1", "teste123", true)]
#[case::one_address("192.0.2.1:1", "teste123", true)]
#[case::another_password("0.0.0.0:1", "s3cret", false)]
fn the_development_password_is_exposed_on_addresses_that_others_can_reach(
    #[case] bind: &str,
    #[case] password: &str,
    #[case] exposed: bool,
) {
    let server = resolve(&["--demo-bind", bind, "--demo-password", password]).expect("settings");
    assert_eq!(server.exposes_development_password(), exposed);
    assert!(!format!("{server:?}").contains(password), "a secret is not printed by accident");
}

#[rstest]
#[case::public(&["--demo-bind=0.0.0.0:1"], Some("the public development password must not guard 0.0.0.0:1"))]
#[case::short(&["--demo-bind=[::]:1", "--demo-password=seven77"], Some("less than 8 characters must not guard [::]:1"))]
#[case::denied(&["--demo-bind=0.0.0.0:1", "--demo-development=false"], Some("the public development password"))]
#[case::long_enough(&["--demo-bind=0.0.0.0:1", "--demo-password=eight888"], None)]
#[case::users(&["--demo-bind=0.0.0.0:1", "--demo-htpasswd-file=/users"], None)]
#[case::development(&["--demo-bind=0.0.0.0:1", "--demo-development=true"], None)]
#[case::development_with_a_short_one(&["--demo-bind=0.0.0.0:1", "--demo-development=true", "--demo-password=a"], None)]
#[case::loopback(&["--demo-password=a"], None)]
#[case::loopback_of_ipv6(&["--demo-bind=[::1]:1"], None)]
fn a_public_or_short_password_is_refused_where_others_can_reach_it(
    #[case] flags: &[&str],
    #[case] refusal: Option<&str>,
) {
    let refused = resolve(flags).expect("settings").refuse_weak_password().err().map(|error| error.to_string());
    match (&refused, refusal) {
        (Some(told), Some(expected)) => {
            assert!(told.contains(expected), "{told}");
            assert!(told.contains("--demo-password-file") && told.contains("--demo-development=true"), "{told}");
        }
        _ => assert_eq!(refused.as_deref(), refusal),
    }
}

#[test]
fn a_service_does_not_listen_with_a_public_password_where_others_can_reach_it() {
    let server = resolve(&["--demo-bind=0.0.0.0:0"]).expect("settings");
    let refusal = chassis::server::listen(&server).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refusal.starts_with("demo: the public development password"), "{refusal}");
}
