//! The bounds that hold under every attack.

use std::time::Duration;

use crate::trial::Measured;

/// An eighth of the containers' memory limit.
const MAX_GROWTH: u64 = 32 * 1024 * 1024;
/// Lines that a service may log by itself during an attack.
const MAX_OWN_LOG_LINES: usize = 5;
/// Characters of a failure that are shown.
const MAX_FAILURE_LENGTH: usize = 80;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// 99th percentile of the honest client's answers.
    pub(crate) p99: Duration,
    /// Time from the end of the attack to answers within `p99`.
    pub(crate) normal_within: Duration,
}

impl Bounds {
    pub(crate) const RELEASE: Self = Self { p99: Duration::from_millis(100), normal_within: Duration::from_secs(10) };
    /// A build without optimisation is several times slower.
    pub(crate) const DEBUG: Self = Self { p99: Duration::from_millis(250), ..Self::RELEASE };

    /// The violated bounds, as text.
    pub(crate) fn violations(&self, measured: &Measured) -> Vec<String> {
        let Measured { growth, honest, log_lines, normal_after, evidence } = measured;
        let mut violations = evidence.holes.clone();
        if *growth > MAX_GROWTH {
            violations.push(format!("memory grew by {} MiB", growth / 1024 / 1024));
        }
        if let Some(failure) = honest.failures.first() {
            let failure: String = failure.chars().take(MAX_FAILURE_LENGTH).collect();
            violations.push(format!(
                "{} of {} honest requests failed: {failure}",
                honest.failures.len(),
                honest.count()
            ));
        }
        if honest.percentile(99) > self.p99 {
            violations.push(format!("honest p99 is {} ms", honest.percentile(99).as_millis()));
        }
        if *log_lines > evidence.requests + MAX_OWN_LOG_LINES {
            violations.push(format!("{log_lines} log lines for {} requests", evidence.requests));
        }
        if normal_after.is_none() {
            violations.push(format!("not back to normal after {} s", self.normal_within.as_secs()));
        }
        violations
    }
}
