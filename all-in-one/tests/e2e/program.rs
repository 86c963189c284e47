//! `cargo run` and `cargo run -- demo`, as for a new user.

use std::process::Command;

use testkit::{Process, free_port};

#[test]
fn the_demo_starts_both_services_and_shows_three_payments() {
    let directory = tempfile::tempdir().expect("a directory");
    let (consultation, finance) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
    let output = Command::new(env!("CARGO_BIN_EXE_all-in-one"))
        .args(["demo", "--consultation-bind", &consultation, "--finance-bind", &finance])
        .args(["--consultation-metrics-bind=none", "--finance-metrics-bind=none"])
        .current_dir(directory.path())
        .env_clear()
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.matches("finished, price 200.00").count(), 3, "{text}");
    assert_eq!(text.matches("recorded at").count(), 3, "{text}");
    assert!(directory.path().join("data/consultation.sqlite").exists());
}

#[test]
fn help_names_every_setting_with_its_variable() {
    let output = Command::new(env!("CARGO_BIN_EXE_all-in-one")).arg("--help").output().expect("it runs");
    let help = String::from_utf8_lossy(&output.stdout);
    for variable in ["CONSULTATION_BIND", "FINANCE_DATABASE_URL_FILE", "CONSULTATION_PRICE_PER_HOUR", "LOG_FORMAT"] {
        assert!(help.contains(variable), "{variable}");
    }
}

#[test]
fn a_bad_setting_is_refused_by_name() {
    let directory = tempfile::tempdir().expect("a directory");
    for (flag, value) in [
        ("--consultation-price-per-hour", "1.005"),
        ("--consultation-price-per-hour", "-1"),
        ("--consultation-poll-interval", "5"),
        ("--consultation-retention", "1hour"),
        ("--consultation-time-zone", "Mars/Olympus"),
        ("--consultation-finance-url", "ftp://finance"),
        ("--consultation-longest", "30min"),
        ("--finance-bind", "8020"),
        // With the public password.
        ("--finance-bind", "0.0.0.0:0"),
        ("--finance-bind", "localhost:8020"),
        ("--finance-username", "a:b"),
        ("--finance-cors-origins", "https://app.example/"),
        ("--finance-graphiql-link", "javascript:alert(1)"),
        ("--rust-log", "verbose"),
        ("--access-log", "/nowhere/access.log"),
        ("--access-log-min-duration", "500"),
        ("--finance-password-file", "/does/not/exist"),
        ("--finance-trusted-documents", "/does/not/exist"),
        ("--finance-htpasswd-file", "/does/not/exist"),
        // Without an htpasswd file.
        ("--finance-groups-file", "/does/not/exist"),
        ("--finance-database-url", "mysql://db/x"),
        // Without an audience.
        ("--finance-token-issuer", "https://issuer.example"),
        ("--finance-token-keys-file", "/does/not/exist"),
        // Sent in the clear.
        ("--finance-token-issuer", "http://issuer.example"),
    ] {
        let flag_and_value = format!("{flag}={value}");
        let program = env!("CARGO_BIN_EXE_all-in-one");
        let output = Command::new(program)
            .args([flag_and_value.as_str(), "--consultation-bind=127.0.0.1:0"])
            .current_dir(directory.path())
            .output()
            .expect("it runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flag_and_value}: {error}");
        assert!(error.contains(flag), "{flag_and_value}: {error}");
    }
}

#[test]
fn a_finance_that_accepts_tokens_only_wants_a_token_of_consultation() {
    let directory = tempfile::tempdir().expect("a directory");
    let output = Command::new(env!("CARGO_BIN_EXE_all-in-one"))
        .args(["--finance-token-issuer=https://issuer.example", "--finance-token-audience=finance"])
        .args(["--consultation-bind=127.0.0.1:0", "--finance-bind=127.0.0.1:0"])
        .current_dir(directory.path())
        .output()
        .expect("it runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("give --consultation-finance-token-file"), "{error}");
}

#[test]
fn a_refused_setting_shows_one_that_is_right() {
    for (flag, value, example) in [
        ("--consultation-time-zone", "Brazil", "America/Sao_Paulo"),
        ("--consultation-bind", "localhost:8250", "127.0.0.1:8010"),
        ("--rust-log", "verbose", "info,sqlx=debug"),
        ("--consultation-longest", "1s", "1h to 10years"),
        ("--access-log-min-duration", "500", "500ms"),
    ] {
        let output = Process::command("consultation", &[flag, value], &[]).output().expect("it runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains(example), "{flag} {value}: {error}");
    }
}

#[test]
fn migrate_says_what_it_did() {
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite://{}/finance.sqlite", directory.path().display());
    let migrate = || {
        let output =
            Process::command("finance", &["migrate"], &[("FINANCE_DATABASE_URL", &url)]).output().expect("it runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let first = migrate();
    assert!(first.starts_with("finance: applied m2026") && first.lines().count() == 1, "{first}");
    assert_eq!(migrate(), "finance: nothing to do, the schema was up to date\n");
}

#[test]
fn the_help_of_a_command_without_settings_is_short() {
    let output = Process::command("consultation", &["schema", "--help"], &[]).output().expect("it runs");
    let help = String::from_utf8_lossy(&output.stdout);
    assert!(help.contains("schema") && !help.contains("--consultation-bind"), "{help}");
}

#[tokio::test]
async fn another_service_at_the_port_is_not_taken_for_this_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite://{}/finance.sqlite", directory.path().display());
    let port = free_port();
    let bind = format!("127.0.0.1:{port}");
    let settings = [("FINANCE_BIND", bind.as_str()), ("FINANCE_DATABASE_URL", &url)];
    assert!(Process::command("finance", &["migrate"], &settings).output().expect("it runs").status.success());
    let _finance = Process::start("finance", port, &settings).await;
    let check = |service: &str, settings: &[(&str, &str)]| {
        let output = Process::command(service, &["healthcheck"], settings).output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(check("finance", &settings), (Some(0), String::new()));
    let (code, error) = check("consultation", &[("CONSULTATION_BIND", &bind)]);
    assert_eq!(code, Some(1));
    assert!(error.contains("there is finance, not consultation"), "{error}");
}
