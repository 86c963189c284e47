//! The statements that PostgreSQL analysed while the tests of both services ran on it.

use std::{
    collections::BTreeMap,
    env,
    fs::File,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use serde_json::Value;
use testkit::Cluster;

use crate::tree::Node;

/// Each statement's tree goes to the log, with the statement. Parameters would only make it longer.
const OPTIONS: &str = "-c listen_addresses='' -c fsync=off -c max_connections=400 -c shared_buffers=32MB
    -c logging_collector=on -c log_destination=jsonlog -c log_directory=log -c log_filename=statements.log
    -c log_rotation_size=0 -c log_rotation_age=0 -c debug_print_parse=on -c debug_pretty_print=off
    -c log_min_error_statement=debug5 -c log_parameter_max_length=0";

/// Beginnings of the variables that Cargo sets for a test.
const OF_CARGO: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_PRIMARY_"];

/// Runs the tests on a cluster of their own. Returns the trees of the statements that change tables, by their texts.
pub(crate) fn of_the_tests() -> anyhow::Result<BTreeMap<String, Node>> {
    let cluster = Cluster::start(&OPTIONS.replace('\n', " ")).map_err(anyhow::Error::msg)?;
    let url = format!("postgres://postgres@localhost/postgres?host={}", cluster.directory.display());
    let mut tests = Command::new(std::env!("CARGO"));
    tests.args(["test", "--quiet", "-p", "consultation", "-p", "finance", "--lib", "--test", "it"]);
    // Of tests with a case for each database, those on PostgreSQL.
    tests.args(["--", "Postgres"]);
    // Cargo's for this test: with them it would build crates anew that look at them.
    for (name, _) in env::vars().filter(|(name, _)| OF_CARGO.iter().any(|of_cargo| name.starts_with(of_cargo))) {
        tests.env_remove(name);
    }
    let status = tests.env("TEST_DATABASE_URL", url).stdout(Stdio::null()).status().context("cargo")?;
    ensure!(status.success(), "the tests of the services failed");
    let log = File::open(cluster.directory.join("data/log/statements.json")).context("the server's log")?;
    let mut statements = BTreeMap::new();
    for line in BufReader::new(log).lines() {
        let line = line?;
        if !line.contains("\"parse tree:\"") {
            continue;
        }
        let entry: Value = serde_json::from_str(&line)?;
        let (Some(statement), Some(tree)) = (entry["statement"].as_str(), entry["detail"].as_str()) else { continue };
        // Utility statements have trees of another form.
        if statements.contains_key(statement) || !crate::rules::CHANGES.iter().any(|command| tree.contains(command)) {
            continue;
        }
        let tree = Node::parse(tree).with_context(|| format!("no tree of {statement}"))?;
        statements.insert(statement.to_owned(), tree);
    }
    Ok(statements)
}
