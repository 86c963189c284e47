//! Settings of a service, from its command line.

use std::path::Path;

use chassis::config::{Access, Server};
use clap::{CommandFactory, Parser};
use rstest::rstest;
use secrecy::ExposeSecret;
use tempfile::TempDir;

chassis::server_settings!("demo", "DEMO", bind = "127.0.0.1:8099", database = "sqlite://data/demo.sqlite");

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    server: ServerSettings,
}

fn resolve(flags: &[&str]) -> anyhow::Result<Server> {
    let cli = Cli::try_parse_from(std::iter::once(&"demo").chain(flags))?;
    cli.server.resolve()
}

fn refusal(flags: &[&str]) -> String {
    resolve(flags).expect_err("refused").to_string()
}

fn user(server: &Server) -> (&str, &str) {
    let Access::User { username, password } = &server.access else { panic!("one user") };
    (username, password.expose_secret())
}

fn file(content: &str) -> (TempDir, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("secret");
    std::fs::write(&file, content).expect("written");
    (directory, file.display().to_string())
}

#[test]
fn nothing_need_be_set() {
    let server = resolve(&[]).expect("defaults");
    assert_eq!((server.name, server.bind.to_string().as_str()), ("demo", "127.0.0.1:8099"));
    assert_eq!(server.database_url.expose_secret(), "sqlite://data/demo.sqlite");
    assert_eq!(user(&server), ("admin", "teste123"));
    assert!(!server.exposes_development_password());
}

#[test]
fn everything_can_be_set() {
    let flags = ["--demo-bind=0.0.0.0:1", "--demo-database-url=sqlite://x", "--demo-username=me", "--demo-password=p"];
    let server = resolve(&flags).expect("settings");
    assert_eq!((server.bind.to_string().as_str(), server.database_url.expose_secret()), ("0.0.0.0:1", "sqlite://x"));
    assert_eq!(user(&server), ("me", "p"));
}

#[rstest]
#[case("15", None)]
#[case("16", Some(16))]
#[case("100000", Some(100_000))]
#[case("100001", None)]
#[case("many", None)]
fn the_connections_of_clients_may_be_set(#[case] number: &str, #[case] expected: Option<usize>) {
    let flag = format!("--demo-max-connections={number}");
    match expected {
        Some(_) => assert_eq!(resolve(&[&flag]).expect("settings").max_connections, expected),
        None => assert!(refusal(&[&flag]).contains("want 16 to 100000")),
    }
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
    assert!(matches!(&server.access, Access::HtpasswdFile(file) if file == Path::new("/users")));
    assert!(!server.exposes_development_password());
    let (_directory, file) = file("s3cret");
    for user in ["--demo-username=me", "--demo-password=p", &format!("--demo-password-file={file}")] {
        let message = refusal(&["--demo-htpasswd-file=/users", user]);
        assert_eq!(message, "give --demo-htpasswd-file or a user name and password, not both");
    }
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

#[test]
fn proxies_of_this_machine_are_trusted_unless_others_or_none_are_named() {
    let proxies = |flags: &[&str]| resolve(flags).expect("settings").trusted_proxies.to_string();
    assert_eq!(proxies(&[]), "127.0.0.0/8,::1/128");
    assert_eq!(proxies(&["--demo-trusted-proxies=10.0.0.0/8,192.0.2.1"]), "10.0.0.0/8,192.0.2.1/32");
    assert_eq!(proxies(&["--demo-trusted-proxies="]), "");
}

#[rstest]
#[case("0.0.0.0:1", "http://127.0.0.1:1")]
#[case("[::]:1", "http://[::1]:1")]
#[case("192.0.2.1:1", "http://192.0.2.1:1")]
fn a_service_is_asked_where_this_machine_reaches_it(#[case] bind: &str, #[case] url: &str) {
    assert_eq!(resolve(&["--demo-bind", bind]).expect("settings").local_url(), url);
}

#[test]
fn help_names_every_flag_its_variable_and_its_default() {
    let help = Cli::command().render_long_help().to_string();
    // However the lines are wrapped.
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let command = Cli::command();
    let flags: Vec<_> = command.get_arguments().filter_map(|argument| Some((argument.get_long()?, argument))).collect();
    assert!(flags.len() >= 7);
    for (flag, argument) in flags {
        let variable = flag.to_uppercase().replace('-', "_");
        assert_eq!(argument.get_env(), Some(variable.as_ref()));
        assert!(help.contains(&format!("--{flag} <")), "{flag}: {help}");
        assert!(help.contains(&format!("[env: {variable}")), "{variable}: {help}");
    }
    for default in ["127.0.0.1:8099", "a SQLite file under data/", "default: admin", "default: teste123"] {
        assert!(help.contains(default), "{default}: {help}");
    }
}

#[rstest]
#[case("localhost:8250")]
#[case("8250")]
#[case("")]
fn an_address_that_cannot_be_used_is_refused_with_examples(#[case] bind: &str) {
    let message = refusal(&["--demo-bind", bind]);
    assert!(message.contains("127.0.0.1:8010") && message.contains("0.0.0.0:8010"), "{message}");
}

#[rstest]
#[case("a:b")]
#[case("")]
fn a_user_name_that_nobody_can_send_is_refused(#[case] name: &str) {
    let message = refusal(&["--demo-username", name]);
    assert!(message.contains("without a colon"), "{message}");
}

#[test]
fn browsers_have_no_rights_unless_they_are_set() {
    let browsers = resolve(&[]).expect("defaults").browsers;
    assert!(browsers.allowed_hosts.is_empty() && browsers.cors_origins.is_empty() && !browsers.cors_credentials);
    let flags = [
        "--demo-allowed-hosts=api.example,finance",
        "--demo-cors-origins=https://app.example,http://localhost:3000",
        "--demo-cors-credentials=true",
    ];
    let browsers = resolve(&flags).expect("settings").browsers;
    assert_eq!(browsers.allowed_hosts, ["api.example", "finance"]);
    assert_eq!(browsers.cors_origins.len(), 2);
    assert!(browsers.cors_credentials);
    for flag in ["--demo-cors-origins=https://app.example,*", "--demo-cors-origins=https://app.example/"] {
        assert!(refusal(&[flag]).contains("want an origin, as in https://app.example"), "{flag}");
    }
    assert!(refusal(&["--demo-allowed-hosts=api.example:8010"]).contains("as in api.clinic.example"));
}
