//! Positions in PostgreSQL's write-ahead log, and the token that names one to clients.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};

use super::super::Connections;

/// Bytes of a token: system, timeline, position.
const TOKEN_BYTES: usize = 8 + 4 + 8;

/// The state of a server. Any role may run it. The control file of a standby has its timeline some minutes late; roles
/// with `pg_read_all_stats` see that of its receiver, too. Of a primary `flushed` has every commit that was answered, and
/// `inserted` also those that were answered before they were durable.
const STATE: &str = "SELECT system_identifier, is_standby, pg_postmaster_start_time()::text AS started,
    CASE WHEN is_standby THEN GREATEST(
        (SELECT timeline_id FROM pg_control_checkpoint()),
        (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
        (SELECT received_tli FROM pg_stat_wal_receiver))
    ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int END AS timeline,
    (CASE WHEN is_standby THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END - '0/0')::bigint AS visible,
    (CASE WHEN is_standby THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END - '0/0')::bigint AS inserted
    FROM pg_control_system(), (SELECT pg_is_in_recovery() AS is_standby) AS role";

/// A position in the log of one history. A restore and a promotion begin a timeline; another server is another system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(super) system: i64,
    pub(super) timeline: i32,
    /// Bytes since the begin of the log.
    pub(super) lsn: i64,
}

/// The state of a server.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) is_standby: bool,
    /// Tells two servers apart.
    pub(super) started: String,
    /// Up to here every commit is visible. On a primary it may lie behind this.
    pub(super) visible: Position,
    /// No commit so far lies behind this.
    pub(super) inserted: Position,
}

impl Server {
    pub(super) async fn ask(connections: &Connections) -> Result<Self, DbErr> {
        let row = connections.query_one_raw(Statement::from_string(DbBackend::Postgres, STATE)).await?;
        Self::of(&row.ok_or_else(|| DbErr::Custom("the database returned no position".to_owned()))?)
    }

    fn of(row: &QueryResult) -> Result<Self, DbErr> {
        let (system, timeline) = (row.try_get("", "system_identifier")?, row.try_get("", "timeline")?);
        let at = |column| Ok::<_, DbErr>(Position { system, timeline, lsn: row.try_get("", column)? });
        Ok(Self {
            is_standby: row.try_get("", "is_standby")?,
            started: row.try_get("", "started")?,
            visible: at("visible")?,
            inserted: at("inserted")?,
        })
    }
}

impl Position {
    /// Whether who sees the log up to this position sees everything up to `other`. What lies before a fork is in the
    /// later timeline, too; what lies behind it on the earlier timeline is lost.
    pub(super) fn includes(&self, other: &Self) -> bool {
        self.system == other.system && self.timeline >= other.timeline && self.lsn >= other.lsn
    }

    /// Whether both are of one server's log, or of its copy's, and nobody has forked it between them.
    pub(super) fn is_in_history_of(&self, other: &Self) -> bool {
        (self.system, self.timeline) == (other.system, other.timeline)
    }

    /// The token, opaque to clients.
    pub(super) fn token(&self) -> String {
        let bytes = [&self.system.to_be_bytes()[..], &self.timeline.to_be_bytes(), &self.lsn.to_be_bytes()];
        URL_SAFE_NO_PAD.encode(bytes.concat())
    }

    /// The position of a token; `None` if it is malformed.
    pub(super) fn of_token(token: &str) -> Option<Self> {
        let bytes: [u8; TOKEN_BYTES] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        let (system, rest) = bytes.split_first_chunk()?;
        let (timeline, rest) = rest.split_first_chunk()?;
        let (lsn, _) = rest.split_first_chunk()?;
        Some(Self {
            system: i64::from_be_bytes(*system),
            timeline: i32::from_be_bytes(*timeline),
            lsn: i64::from_be_bytes(*lsn),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Position = Position { system: 7, timeline: 2, lsn: 100 };

    #[test]
    fn a_token_is_a_position_and_any_other_text_is_malformed() {
        assert_eq!(Position::of_token(&HERE.token()), Some(HERE));
        for malformed in ["", "0/16B3748", &HERE.token()[1..], &format!("{}A", HERE.token()), "!!!!"] {
            assert_eq!(Position::of_token(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn a_position_includes_what_lies_before_it_in_its_own_history() {
        assert!(HERE.includes(&HERE) && HERE.includes(&Position { timeline: 1, lsn: 99, ..HERE }));
        for other in [
            Position { lsn: 101, ..HERE },
            Position { timeline: 3, lsn: 50, ..HERE },
            Position { system: 8, lsn: 50, ..HERE },
        ] {
            assert!(!HERE.includes(&other), "{other:?}");
        }
    }
}
