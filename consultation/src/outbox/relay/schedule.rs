//! When the relay looks for what is due.

use std::time::Duration;

use chassis::{backoff::database_delay, database::is_unavailable};
use sea_orm::DbErr;
use tokio::time::Instant;

use super::{
    super::{policy::DESTINATION_RETRY, store::Due},
    Tick,
};

/// A hint waits so long for others: what is finished in this time is delivered together.
const GATHER: Duration = Duration::from_millis(8);

/// Made of hints and of what the rounds did.
#[derive(Debug)]
pub(super) struct Schedule {
    begin: Instant,
    next_poll: Instant,
    /// When the hints since the last look have been gathered.
    gathered: Option<Instant>,
    /// When the rows of the first failed round are due again.
    next_retry: Option<Instant>,
    /// The last round took as much as one request carries.
    has_more: bool,
    database_failures: u32,
}

impl Schedule {
    pub(super) fn new(now: Instant) -> Self {
        Self { begin: now, next_poll: now, gathered: None, next_retry: None, has_more: false, database_failures: 0 }
    }

    /// The next look. While there is more than one request takes, that is now.
    pub(super) fn next_look(&self) -> Instant {
        let reasons = [self.has_more.then_some(self.begin), self.gathered, self.next_retry];
        reasons.into_iter().flatten().fold(self.next_poll, Ord::min)
    }

    /// Whether the last round failed in the database: it is left alone until the next look.
    pub(super) fn database_fails(&self) -> bool {
        self.database_failures > 0
    }

    /// Something may be due.
    pub(super) fn hinted(&mut self, now: Instant) {
        self.gathered = self.gathered.or(Some(now + GATHER));
    }

    /// A look is taken. Returns at what: polls, and looks for the rest of a backlog, are at all that is due. Hints, and
    /// rows that are due again, are recent; looks for them do not put off the poll, which finds whatever they miss.
    pub(super) fn looked(&mut self, now: Instant, poll_interval: Duration) -> Due {
        self.gathered = None;
        self.next_retry = self.next_retry.filter(|retry| *retry > now);
        if now < self.next_poll && !self.has_more {
            return Due::Recent;
        }
        self.next_poll = now + poll_interval;
        Due::All
    }

    /// A round that started then is completed.
    pub(super) fn completed(&mut self, started: Instant, round: Result<Tick, DbErr>, now: Instant) {
        match round {
            Ok(tick) => {
                self.database_failures = 0;
                self.has_more = tick.has_more;
                if tick.postponed > 0 {
                    let retry = started + DESTINATION_RETRY;
                    self.next_retry = Some(self.next_retry.map_or(retry, |earlier| earlier.min(retry)));
                }
            }
            Err(error) => {
                // The readiness check logs an outage, once.
                if is_unavailable(&error) {
                    tracing::debug!(%error, "the outbox cannot be read; trying again");
                } else {
                    tracing::error!(%error, "the outbox cannot be read; trying again");
                }
                self.database_failures = self.database_failures.saturating_add(1);
                (self.has_more, self.gathered, self.next_retry) = (false, None, None);
                self.next_poll = now + database_delay(self.database_failures);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Duration = Duration::from_mins(1);

    /// A schedule that has just looked, and when.
    fn looked() -> (Schedule, Instant) {
        let now = Instant::now();
        let mut schedule = Schedule::new(now);
        assert_eq!(schedule.next_look(), now);
        assert_eq!(schedule.looked(now, POLL), Due::All);
        (schedule, now)
    }

    #[test]
    fn without_news_it_polls() {
        let (mut schedule, now) = looked();
        schedule.completed(now, Ok(Tick::default()), now);
        assert_eq!(schedule.next_look(), now + POLL);
    }

    #[test]
    fn rows_of_a_failed_round_are_looked_for_when_they_are_due_again() {
        let (mut schedule, now) = looked();
        schedule.completed(now, Ok(Tick { postponed: 3, ..Tick::default() }), now + Duration::from_secs(4));
        assert_eq!(schedule.next_look(), now + DESTINATION_RETRY);
        assert_eq!(schedule.looked(now + DESTINATION_RETRY, POLL), Due::Recent);
        assert_eq!(schedule.next_look(), now + POLL);
    }

    #[test]
    fn a_hint_waits_for_others_but_not_for_ever() {
        let (mut schedule, now) = looked();
        schedule.hinted(now);
        schedule.hinted(now + GATHER / 2);
        assert_eq!(schedule.next_look(), now + GATHER);
        assert_eq!(schedule.looked(now + GATHER, POLL), Due::Recent);
        assert_eq!(schedule.next_look(), now + POLL);
    }

    #[test]
    fn hints_without_end_do_not_put_off_the_poll() {
        let (mut schedule, begin) = looked();
        let mut now = begin;
        while now < begin + POLL {
            schedule.hinted(now);
            now = schedule.next_look();
            let expected = if now < begin + POLL { Due::Recent } else { Due::All };
            assert_eq!(schedule.looked(now, POLL), expected);
            schedule.completed(now, Ok(Tick { claimed: 1, delivered: 1, ..Tick::default() }), now);
        }
        assert_eq!(now, begin + POLL);
    }

    #[test]
    fn while_there_is_more_it_looks_at_once() {
        let (mut schedule, now) = looked();
        schedule.completed(now, Ok(Tick { has_more: true, ..Tick::default() }), now);
        assert!(schedule.next_look() <= now);
        assert_eq!(schedule.looked(now, POLL), Due::All);
        schedule.completed(now, Ok(Tick::default()), now);
        assert_eq!(schedule.next_look(), now + POLL);
    }

    #[test]
    fn a_database_that_fails_is_looked_at_later_and_later() {
        let (mut schedule, now) = looked();
        schedule.hinted(now);
        for failures in 1..=10 {
            schedule.completed(now, Err(DbErr::Custom("gone".to_owned())), now);
            assert!(schedule.database_fails());
            assert_eq!(schedule.next_look(), now + database_delay(failures));
        }
        schedule.completed(now, Ok(Tick::default()), now);
        assert!(!schedule.database_fails());
    }
}
