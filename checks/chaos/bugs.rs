//! The checker's own test: services that make known mistakes, each of which must be found.

use std::time::Duration;

use crate::{
    campaign::{self, Plan},
    faults::{Fault, named::TWO_HOURS},
    invariants::names::{
        ACKNOWLEDGED, BOTH_OR_NEITHER, CALLS, CONFIRMED, CONFLICT, DURATION, FINISHED, NOT_BEFORE_RECORDED, ONE_LEASE,
        OWN_LEASE, PAID_ONCE, REFUSED, SAME_AMOUNT, SILENCE,
    },
    proxy::Lane,
    stack::{Backend, Services},
};

/// Mistakes leave rows that are never delivered: no use in waiting longer.
const QUIET: Duration = Duration::from_secs(30);

struct Bug {
    /// As the services know it; none for the run that must find nothing.
    name: Option<&'static str>,
    backend: Backend,
    faults: &'static [Fault],
    consultations: i32,
    /// Of these at least one must be violated; none for no bug.
    breaks: &'static [&'static str],
}

const BUGS: [Bug; 12] = [
    Bug {
        name: None,
        backend: Backend::Postgres,
        faults: &[Fault::Kills(3), Fault::Cuts(8), Fault::DroppedAnswers(5), Fault::Hostile(5)],
        consultations: 300,
        breaks: &[],
    },
    Bug {
        name: Some("no-fence"),
        backend: Backend::Postgres,
        faults: &[Fault::Stopped],
        consultations: 400,
        breaks: &[OWN_LEASE],
    },
    Bug {
        name: Some("no-skip-locked"),
        backend: Backend::Postgres,
        faults: &[Fault::Calm(5), Fault::DroppedAnswers(10)],
        consultations: 1_500,
        breaks: &[ONE_LEASE],
    },
    Bug {
        name: Some("finish-before-confirm"),
        backend: Backend::Postgres,
        faults: &[Fault::DroppedAnswers(5), Fault::Hostile(5)],
        consultations: 200,
        breaks: &[NOT_BEFORE_RECORDED, PAID_ONCE],
    },
    Bug {
        name: Some("outbox-outside-transaction"),
        backend: Backend::Postgres,
        faults: &[Fault::Cuts(12), Fault::Kills(4)],
        consultations: 300,
        breaks: &[BOTH_OR_NEITHER],
    },
    Bug {
        name: Some("upsert"),
        backend: Backend::Postgres,
        faults: &[Fault::Calm(12)],
        consultations: 150,
        breaks: &[CONFLICT, SAME_AMOUNT],
    },
    Bug {
        name: Some("give-up"),
        backend: Backend::Postgres,
        // Of all calls some fail, so that the breaker stays closed and some rows fail twice.
        faults: &[Fault::DroppedAnswers(20)],
        consultations: 400,
        breaks: &[FINISHED, PAID_ONCE],
    },
    // What the services were found to do once, and do no more.
    Bug {
        name: Some("keep-broken-connection"),
        backend: Backend::Sqlite,
        faults: &[Fault::Calm(2), Fault::DiskFull(2)],
        consultations: 300,
        breaks: &[ACKNOWLEDGED, PAID_ONCE],
    },
    Bug {
        name: Some("unsynced-repeat"),
        backend: Backend::Failover,
        faults: &[Fault::Calm(2), Fault::StandbyLost(false), Fault::StandbyLost(true), Fault::StandbyLost(false)],
        consultations: 300,
        breaks: &[ACKNOWLEDGED, REFUSED, CONFIRMED],
    },
    Bug {
        name: Some("no-deadline"),
        backend: Backend::Postgres,
        faults: &[Fault::Calm(2), Fault::HalfOpen(Lane::Consultation, false), Fault::HalfOpen(Lane::Finance, false)],
        // So many that connections are in use when they fall silent: one that was idle is tested before it is used.
        consultations: 1_500,
        breaks: &[SILENCE, CALLS],
    },
    Bug {
        name: Some("process-clock"),
        backend: Backend::Postgres,
        faults: &[Fault::Calm(2), Fault::ReplicaClock(TWO_HOURS)],
        consultations: 300,
        breaks: &[DURATION],
    },
    Bug {
        name: Some("no-rescue"),
        backend: Backend::Postgres,
        faults: &[Fault::Calm(2), Fault::DatabaseClock],
        consultations: 600,
        breaks: &[FINISHED, PAID_ONCE],
    },
];

/// Runs them all, or those with these names; what went wrong, or nothing.
pub(crate) async fn check_the_checker(seed: u64, services: &Services, only: &[String]) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    let is_wanted = |bug: &&Bug| only.is_empty() || bug.name.is_some_and(|name| only.iter().any(|only| only == name));
    for bug in BUGS.iter().filter(is_wanted) {
        let name = bug.name.unwrap_or("no bug");
        println!("\n== {name}");
        let plan = Plan {
            backend: bug.backend,
            seed,
            consultations: bug.consultations,
            faults: bug.faults.to_vec(),
            quiet: QUIET,
            services: Services { bug: bug.name, ..services.clone() },
        };
        let report = campaign::run(&plan).await?;
        report.print();
        let violated = report.violated();
        let found = if bug.breaks.is_empty() {
            violated.is_empty()
        } else {
            violated.iter().any(|invariant| bug.breaks.contains(invariant))
        };
        println!("== {name}: {}", if found { "as it should be" } else { "WRONG" });
        if !found {
            wrong.push(format!("{name}: reported {violated:?} instead of {:?}", bug.breaks));
        }
    }
    Ok(wrong)
}
