//! Settings of a service, from its command line.

mod access;
mod token_issuer;

use chassis::config::{Access, Server};
use clap::{CommandFactory, Parser};
use rstest::rstest;
use secrecy::ExposeSecret;

chassis::server_settings!(
    "demo",
    "DEMO",
    bind = "127.0.0.1:8099",
    metrics = "none",
    database = "sqlite://data/demo.sqlite"
);

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

#[test]
fn a_read_replica_is_of_postgresql_and_has_a_bound() {
    let (primary, replica) = ("--demo-database-url=postgres://u@one/d", "--demo-database-read-url=postgres://u@two/d");
    assert!(resolve(&[primary]).expect("settings").read_replica.is_none());
    let found = resolve(&[primary, replica]).expect("settings").read_replica.expect("a replica");
    assert_eq!((found.url.expose_secret(), found.max_staleness.as_secs()), ("postgres://u@two/d", 5));
    let why = "--demo-database-read-url: a read replica needs PostgreSQL: SQLite has no replicas";
    assert_eq!(refusal(&[primary, "--demo-database-read-url=sqlite://x"]), why);
    assert_eq!(refusal(&[replica]), "--demo-database-url: a read replica needs PostgreSQL: SQLite has no replicas");
    assert!(refusal(&[primary, "--demo-database-read-url=mysql://u@two/d"]).contains("--demo-database-read-url"));
    for (bound, is_accepted) in [("999ms", false), ("1s", true), ("1h", true), ("61m", false)] {
        let flags = [primary, replica, &format!("--demo-database-read-max-staleness={bound}")];
        assert_eq!(resolve(&flags).is_ok(), is_accepted, "{bound}");
    }
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
        "--demo-allowed-hosts=api.example,intranet",
        "--demo-cors-origins=https://app.example,http://localhost:3000",
        "--demo-cors-credentials=true",
    ];
    let browsers = resolve(&flags).expect("settings").browsers;
    assert_eq!(browsers.allowed_hosts, ["api.example", "intranet"]);
    assert_eq!(browsers.cors_origins.len(), 2);
    assert!(browsers.cors_credentials);
    for flag in ["--demo-cors-origins=https://app.example,*", "--demo-cors-origins=https://app.example/"] {
        assert!(refusal(&[flag]).contains("want an origin, as in https://app.example"), "{flag}");
    }
    assert!(refusal(&["--demo-allowed-hosts=api.example:8010"]).contains("as in api.example"));
}
