//! Prometheus' programs, by the names of Debian's packages.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use anyhow::{Context, ensure};

use crate::settings::SHIPPED;

/// Known findings of the linter: the name is that of OpenTelemetry.
const ACCEPTED: &str =
    "db_client_connection_count non-histogram and non-summary metrics should not have \"_count\" suffix";

/// A process that ends with this value.
#[derive(Debug)]
pub(crate) struct Daemon(Child);

impl Daemon {
    pub(crate) fn start(program: &str, arguments: &[String], log: &Path) -> anyhow::Result<Self> {
        let log = File::create(log)?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(Self(command.spawn().with_context(|| missing(program))?))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn missing(program: &str) -> String {
    format!(
        "{program} is missing; on Debian: apt-get install --no-install-recommends prometheus prometheus-alertmanager \
         prometheus-node-exporter"
    )
}

/// Checks the shipped configurations and runs the unit tests of the rules.
pub(crate) fn check_shipped_files() -> anyhow::Result<()> {
    let checks: [(&str, &[&str]); 3] = [
        ("promtool", &["check", "config", "prometheus.yml"]),
        ("promtool", &["test", "rules", "alerts.test.yml"]),
        ("amtool", &["check-config", "alertmanager.yml"]),
    ];
    for (program, arguments) in checks {
        let mut command = Command::new(program);
        let output = command.args(arguments).current_dir(SHIPPED).output().with_context(|| missing(program))?;
        ensure!(output.status.success(), "{program} {}:\n{}", arguments.join(" "), text(&output));
    }
    Ok(())
}

/// Lints what a service publishes.
pub(crate) fn lint(open_metrics: &str) -> anyhow::Result<()> {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().with_context(|| missing("promtool"))?;
    process.stdin.take().expect("a pipe").write_all(classic(open_metrics).as_bytes())?;
    let found = text(&process.wait_with_output()?);
    let found: Vec<_> = found.lines().filter(|line| *line != ACCEPTED).collect();
    ensure!(found.is_empty(), "promtool check metrics:\n{}", found.join("\n"));
    Ok(())
}

/// The older text format, which is the only one that the linter reads: the names of metrics are those of their series.
fn classic(open_metrics: &str) -> String {
    let types = open_metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let types: BTreeMap<_, _> = types.collect();
    let lines = open_metrics.lines().filter(|line| *line != "# EOF").map(|line| {
        let Some((kind, (name, rest))) = line
            .strip_prefix("# ")
            .and_then(|line| line.split_once(' '))
            .and_then(|(kind, line)| Some((kind, line.split_once(' ')?)))
        else {
            return format!("{line}\n");
        };
        match types.get(name) {
            Some(&"counter") => format!("# {kind} {name}_total {rest}\n"),
            Some(&"info") => format!("# {kind} {name}_info {}\n", rest.replace("info", "gauge")),
            _ => format!("{line}\n"),
        }
    });
    lines.collect()
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}
