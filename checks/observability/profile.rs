//! How long a run takes, and how the shipped times are shortened for it.

use clap::ValueEnum;

/// Times of the rules are divided by this to fit into a run of CI.
const DIVISOR: u32 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// Metrics, dashboard and fuzz: half a minute
    Quick,
    /// Also an outage and faults, with times of the rules divided by 20: three minutes
    Ci,
    /// An outage of three minutes with everything as shipped: five minutes
    Full,
}

impl Profile {
    pub(crate) fn divisor(self) -> u32 {
        if self == Self::Full { 1 } else { DIVISOR }
    }
}
