//! The checker's own test: services with a seeded mistake, each of which must be found.

mod catalogue;
mod statements;

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    campaign::{self, Plan},
    faults::Fault,
    stack::{Backend, Services, Stack},
};
use catalogue::MISTAKES;
use statements::Rewrite;

/// Mistakes leave rows that are never delivered: waiting longer for them is useless.
const QUIET_TIMEOUT: Duration = Duration::from_secs(30);
/// Services log this once for each part of a mistake.
const MADE: &str = "seeded mistake made: ";
/// Services panic with this when a statement has no such part to replace.
const NOT_MADE: &str = "seeded mistake not made";

/// A mistake, and the campaign that must find it.
#[derive(Debug)]
pub(crate) struct Mistake {
    pub(crate) name: &'static str,
    change: Change,
    /// The service whose database would refuse the mistake, and a script that makes it accept it.
    pub(crate) unguard: Option<(&'static str, &'static str)>,
    backend: Backend,
    faults: &'static [Fault],
    consultations: i32,
    /// Of these invariants at least one must be violated; with none, all must hold.
    breaks: &'static [&'static str],
}

/// How a service with a mistake differs from a correct one.
#[derive(Debug)]
enum Change {
    /// No difference: the checker must find nothing.
    None,
    /// It sends other statements.
    Statements(&'static [Rewrite]),
    /// It waits for ever where a correct one has a deadline.
    NoDeadlines,
    /// It reuses a connection that was given up inside a transaction.
    BrokenConnections,
    /// It is correct, but its database acknowledges commits that no standby has.
    Asynchronous,
}

impl Mistake {
    /// The value of `SEEDED_MISTAKE`, as `chassis::database` reads it.
    pub(crate) fn setting(&self) -> String {
        let rewrites = |rewrites: &[Rewrite]| rewrites.iter().map(Rewrite::setting).collect::<Value>();
        let setting = match self.change {
            Change::None | Change::Asynchronous => json!({}),
            Change::Statements(changed) => json!({ "rewrites": rewrites(changed) }),
            Change::NoDeadlines => json!({ "has_no_deadlines": true }),
            Change::BrokenConnections => {
                json!({ "keeps_broken_connections": true, "rewrites": rewrites(statements::SAVEPOINTS) })
            }
        };
        setting.to_string()
    }

    pub(crate) fn is_asynchronous(&self) -> bool {
        matches!(self.change, Change::Asynchronous)
    }

    /// The parts of the mistake that no service made. Without them a run proves nothing about the checker.
    fn unmade(&self, logs: &str) -> Vec<&'static str> {
        let parts = match self.change {
            Change::None | Change::Asynchronous => Vec::new(),
            Change::Statements(changed) => changed.iter().map(|rewrite| rewrite.statement).collect(),
            Change::NoDeadlines => vec!["has_no_deadlines"],
            Change::BrokenConnections => vec!["keeps_broken_connections"],
        };
        parts.into_iter().filter(|part| !logs.contains(&format!("{MADE}{part}"))).collect()
    }
}

/// Checks in the logs that the services made their mistake. Returns what is wrong.
pub(crate) fn check_made(stack: &Stack, mistake: &Mistake) -> Vec<String> {
    let logs: String = stack.replicas().filter_map(|replica| std::fs::read_to_string(&replica.log).ok()).collect();
    let unmade = mistake.unmade(&logs).into_iter().map(|part| format!("no service made the mistake at: {part}"));
    let refused = logs.lines().find(|line| line.contains(NOT_MADE)).map(str::to_owned);
    unmade.chain(refused).collect()
}

/// Runs them all, or those with these names. Returns what went wrong.
pub(crate) async fn check_the_checker(seed: u64, services: &Services, only: &[String]) -> anyhow::Result<Vec<String>> {
    let unknown = only.iter().find(|name| MISTAKES.iter().all(|mistake| mistake.name != *name));
    anyhow::ensure!(unknown.is_none(), "no mistake is called {}", unknown.map_or("", String::as_str));
    let mut wrong = Vec::new();
    let is_wanted = |mistake: &&Mistake| only.is_empty() || only.iter().any(|name| name == mistake.name);
    for mistake in MISTAKES.iter().filter(is_wanted) {
        println!("\n== {}", mistake.name);
        let plan = Plan {
            backend: mistake.backend,
            seed,
            consultations: mistake.consultations,
            faults: mistake.faults.to_vec(),
            quiet: QUIET_TIMEOUT,
            services: Services { mistake: Some(mistake), ..services.clone() },
        };
        let report = campaign::run(&plan).await?;
        report.print();
        let violated = report.violated();
        let is_found = if mistake.breaks.is_empty() {
            violated.is_empty()
        } else {
            violated.iter().any(|invariant| mistake.breaks.contains(invariant))
        };
        let is_right = is_found && report.unmade.is_empty();
        println!("== {}: {}", mistake.name, if is_right { "as it should be" } else { "WRONG" });
        if !is_found {
            wrong.push(format!("{}: reported {violated:?} instead of {:?}", mistake.name, mistake.breaks));
        }
        wrong.extend(report.unmade.iter().map(|unmade| format!("{}: {unmade}", mistake.name)));
    }
    Ok(wrong)
}
