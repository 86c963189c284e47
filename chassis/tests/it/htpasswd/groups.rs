//! Roles of users by a group file.

use std::{fs, sync::Arc};

use axum::{Router, extract::Request};
use chassis::{
    config::Access,
    gate::logins::{self, Authenticator},
};
use graphql_http::Caller;
use rstest::rstest;
use tempfile::TempDir;

use super::{FAST, bcrypt};
use crate::guarded::{PERMISSIONS, ask};

/// Both files, and a handler that answers with the roles of its caller.
struct Grouped {
    directory: TempDir,
    authenticator: Arc<Authenticator>,
    router: Router,
}

impl Grouped {
    fn new(groups: Option<&str>) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let [users, file] = ["users", "groups"].map(|name| directory.path().join(name));
        let lines = ["ana", "bruno", "clara"].map(|user| format!("{user}:{}", bcrypt(user, FAST)));
        fs::write(&users, lines.join("\n"))?;
        fs::write(&file, groups.unwrap_or_default())?;
        let access = Access::HtpasswdFile { users, groups: groups.map(|_| file) };
        let authenticator = Arc::new(Authenticator::new("demo", &access, PERMISSIONS.roles)?);
        let roles = async |request: Request| request.extensions().get::<Caller>().expect("a caller").roles.join(" ");
        let router = logins::require(Router::new().fallback(roles), Arc::clone(&authenticator));
        Ok(Self { directory, authenticator, router })
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.directory.path().join(file), text).expect("written");
    }

    async fn roles_of(&self, user: &str) -> String {
        let answer = ask(&self.router, "192.0.2.1", &format!("{user}:{user}"), &[]).await;
        assert_eq!(answer.status(), 200);
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        String::from_utf8(body.to_vec()).expect("a text")
    }
}

#[tokio::test]
async fn each_user_has_the_roles_of_the_group_file() {
    let lines = "# roles\n\n reader : ana  bruno\t\r\nwriter: bruno stranger\nwriter: bruno\nreader:\n";
    let grouped = Grouped::new(Some(lines)).expect("groups");
    for (user, roles) in [("ana", "reader"), ("bruno", "reader writer"), ("clara", "")] {
        assert_eq!(grouped.roles_of(user).await, roles, "{user}");
    }
}

#[tokio::test]
async fn without_a_group_file_every_user_has_all_roles() {
    let grouped = Grouped::new(None).expect("users");
    assert_eq!(grouped.roles_of("clara").await, "reader writer");
}

#[rstest]
#[case::an_unknown_role("reader: ana\nadmin: bruno", "line 2: \"admin\" is no role; the roles are reader, writer")]
#[case::another_case("Reader: ana", "line 1: \"Reader\" is no role; the roles are reader, writer")]
#[case::no_role("ana bruno", "line 1: want ROLE: USER USER")]
#[case::nobody("reader:\n", "gives no user a role")]
#[case::nothing("", "gives no user a role")]
#[tokio::test]
async fn a_group_file_that_cannot_be_used_is_refused_and_later_changes_nothing(
    #[case] lines: &str,
    #[case] problem: &str,
) {
    let refused = Grouped::new(Some(lines)).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.starts_with("the group file ") && refused.ends_with(problem), "{refused}");

    let grouped = Grouped::new(Some("reader: ana")).expect("groups");
    grouped.write("groups", lines);
    let error = grouped.authenticator.renew().expect_err("not usable").to_string();
    assert!(error.ends_with(problem), "{error}");
    assert!(!grouped.authenticator.renew().expect("told once"));
    assert_eq!(grouped.roles_of("ana").await, "reader");
}

#[tokio::test]
async fn changed_roles_apply_without_a_restart() {
    let grouped = Grouped::new(Some("reader: ana bruno")).expect("groups");
    assert_eq!(grouped.roles_of("ana").await, "reader");
    assert!(!grouped.authenticator.renew().expect("nothing new"));
    grouped.write("groups", "writer: ana\nreader: bruno");
    assert!(grouped.authenticator.renew().expect("renewed"));
    assert_eq!((grouped.roles_of("ana").await, grouped.roles_of("bruno").await), ("writer".into(), "reader".into()));
    // Roles may be given before their user.
    grouped.write("users", &format!("ana:{}", bcrypt("ana", FAST)));
    assert!(grouped.authenticator.renew().expect("renewed"));
    assert_eq!(grouped.roles_of("ana").await, "writer");
}
