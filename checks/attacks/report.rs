//! The report: a line for each attack, and the table of the documentation.

use std::{fmt::Write, time::Duration};

use crate::{attack::Attack, trial::Trial};

pub(crate) fn line(attack: &Attack, trial: &Trial) -> String {
    let verdict = if trial.held() { "held".to_owned() } else { format!("HOLE: {}", trial.violations.join("; ")) };
    let Some(measured) = &trial.measured else { return format!("{:<22} {verdict}", attack.name) };
    format!(
        "{:<22} growth {:>5.1} MiB  honest p50 {:>4} p99 {:>5}  normal after {:>5}  {verdict}",
        attack.name,
        mebibytes(measured.growth),
        milliseconds(measured.honest.percentile(50)),
        milliseconds(measured.honest.percentile(99)),
        measured.normal_after.map_or_else(|| "-".to_owned(), |after| format!("{:.1} s", after.as_secs_f64())),
    )
}

pub(crate) fn markdown(attacks: &[Attack], trials: &[Trial]) -> String {
    let mut table = "| attack | memory grew by | honest p50, p99 | verdict |\n|---|---|---|---|\n".to_owned();
    for (attack, trial) in attacks.iter().zip(trials) {
        let verdict = if trial.held() { "held".to_owned() } else { trial.violations.join("; ").replace('|', "\\|") };
        let (growth, honest) = trial.measured.as_ref().map_or(("-".to_owned(), "-".to_owned()), |measured| {
            let [p50, p99] = [50, 99].map(|percent| milliseconds(measured.honest.percentile(percent)));
            (format!("{:.0} MiB", mebibytes(measured.growth)), format!("{p50}, {p99}"))
        });
        // Writing to a String does not fail.
        let _ = writeln!(table, "| \"{}\": {} | {growth} | {honest} | {verdict} |", attack.name, attack.title);
    }
    table
}

#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

fn milliseconds(duration: Duration) -> String {
    format!("{} ms", duration.as_millis())
}
