//! How late a replica is, by positions of the primary: what the primary had at a moment, the replica shows once it has
//! replayed up to there.
//!
//! It is an upper bound by this process's monotonic clock, so no clocks of machines are compared. The times of replayed
//! commits (`pg_last_xact_replay_timestamp`) would be compared with another machine's clock, and grow while a primary
//! has nothing to send. Distances in bytes have no bound in time.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::position::Position;

/// Positions of the primary that the replica has not replayed yet.
#[derive(Debug)]
pub(super) struct Staleness {
    ahead: VecDeque<(Instant, Position)>,
    /// The last position of the primary.
    primary: Option<Position>,
    /// The replica shows everything that the primary had committed by then.
    as_of: Option<Instant>,
    /// An older position matters to nobody.
    bound: Duration,
}

impl Staleness {
    pub(super) fn new(bound: Duration) -> Self {
        Self { ahead: VecDeque::new(), primary: None, as_of: None, bound }
    }

    /// Adds a position that the primary told after it was asked at this moment.
    pub(super) fn asked(&mut self, at: Instant, primary: Position) {
        if self.primary.replace(primary).is_some_and(|last| !last.is_in_history_of(&primary)) {
            self.forget();
        }
        self.ahead.retain(|(asked, _)| at.duration_since(*asked) <= self.bound);
        self.ahead.push_back((at, primary));
    }

    /// Notes how far the replica has replayed. Returns the moment as of which its data are complete, if it is known.
    pub(super) fn replayed(&mut self, replica: &Position) -> Option<Instant> {
        while let Some((at, _)) = self.ahead.front().filter(|(_, primary)| replica.includes(primary)) {
            self.as_of = Some(*at);
            self.ahead.pop_front();
        }
        self.as_of
    }

    /// What was known no longer holds: of another primary or another replica.
    pub(super) fn forget(&mut self) {
        (self.ahead, self.as_of) = (VecDeque::new(), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(lsn: i64) -> Position {
        Position { system: 7, timeline: 1, lsn }
    }

    #[test]
    fn a_replica_is_as_late_as_the_last_position_that_it_has_replayed() {
        let (mut staleness, begin) = (Staleness::new(5 * SECOND), Instant::now());
        assert_eq!(staleness.replayed(&at(100)), None, "nothing is known yet");
        staleness.asked(begin, at(10));
        staleness.asked(begin + SECOND, at(20));
        assert_eq!(staleness.replayed(&at(9)), None);
        assert_eq!(staleness.replayed(&at(19)), Some(begin));
        assert_eq!(staleness.replayed(&at(20)), Some(begin + SECOND));
    }

    #[test]
    fn on_an_idle_primary_it_does_not_grow() {
        let (mut staleness, begin) = (Staleness::new(5 * SECOND), Instant::now());
        for second in 0..60 {
            staleness.asked(begin + second * SECOND, at(10));
            assert_eq!(staleness.replayed(&at(10)), Some(begin + second * SECOND));
        }
    }

    #[test]
    fn a_replica_that_stands_still_for_hours_takes_no_memory() {
        let (mut staleness, begin) = (Staleness::new(5 * SECOND), Instant::now());
        for second in 0..10_000_u32 {
            staleness.asked(begin + second * SECOND, at(i64::from(second)));
            assert_eq!(staleness.replayed(&at(0)), Some(begin));
        }
        assert!(staleness.ahead.len() <= 6, "{}", staleness.ahead.len());
        assert_eq!(staleness.replayed(&at(9_999)), Some(begin + 9_999 * SECOND), "it has caught up");
    }

    #[test]
    fn the_history_of_another_primary_says_nothing() {
        let (mut staleness, begin) = (Staleness::new(5 * SECOND), Instant::now());
        staleness.asked(begin, at(10));
        staleness.asked(begin, at(30));
        assert_eq!(staleness.replayed(&at(10)), Some(begin));
        staleness.asked(begin + SECOND, Position { timeline: 2, ..at(20) });
        assert_eq!(staleness.replayed(&at(25)), None, "it replays another timeline");
        assert_eq!(staleness.replayed(&Position { timeline: 2, ..at(20) }), Some(begin + SECOND));
    }
}
