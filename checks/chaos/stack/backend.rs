//! The databases of campaigns.

use clap::ValueEnum;

/// The database of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// One server.
    Postgres,
    /// A primary and a synchronous standby.
    Failover,
    /// Three servers under Patroni, behind HAProxy.
    PostgresHa,
    Sqlite,
}

impl Backend {
    pub(crate) fn is_postgres(self) -> bool {
        self != Self::Sqlite
    }
}
