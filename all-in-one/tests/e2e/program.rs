//! `cargo run` and `cargo run -- demo`, as a new user starts them.

use std::process::Command;

use testkit::free_port;

#[test]
fn the_demo_starts_both_services_and_shows_three_payments() {
    let directory = tempfile::tempdir().expect("a directory");
    let (consultation, finance) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
    let output = Command::new(env!("CARGO_BIN_EXE_all-in-one"))
        .args(["demo", "--consultation-bind", &consultation, "--finance-bind", &finance])
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
        ("--finance-bind", "8020"),
        // With the public password.
        ("--finance-bind", "0.0.0.0:0"),
        ("--finance-htpasswd-file", "/does/not/exist"),
        ("--finance-database-url", "mysql://db/x"),
    ] {
        let flag_and_value = format!("{flag}={value}");
        let program = env!("CARGO_BIN_EXE_all-in-one");
        let output = Command::new(program)
            .args([flag_and_value.as_str(), "--consultation-bind=127.0.0.1:0"])
            .current_dir(directory.path())
            .output()
            .expect("it runs");
        assert!(!output.status.success(), "{flag_and_value}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            error.contains(flag) || error.contains(value) || error.contains("finance"),
            "{flag_and_value}: {error}"
        );
    }
}
