//! Decides when the relay polls next, from notifications and the results of earlier rounds.

use std::{collections::BTreeSet, time::Duration};

use chassis::{backoff::database_delay, database::is_unavailable};
use sea_orm::DbErr;
use tokio::time::Instant;

use super::{
    super::{policy::DESTINATION_RETRY, store::Due},
    Tick,
};

/// The wait after a notification: payments that become due within it are delivered together.
const GATHERING_DELAY: Duration = Duration::from_millis(8);

/// The reasons for the next poll.
#[derive(Debug)]
pub(super) struct Schedule {
    begin: Instant,
    next_poll: Instant,
    /// End of the wait after the first notification since the last poll.
    gathered: Option<Instant>,
    /// Times at which the rows of each failed round are due again.
    retries: BTreeSet<Instant>,
    /// The last round claimed as many rows as one request carries.
    has_more: bool,
    database_failures: u32,
}

impl Schedule {
    pub(super) fn new(now: Instant) -> Self {
        let retries = BTreeSet::new();
        Self { begin: now, next_poll: now, gathered: None, retries, has_more: false, database_failures: 0 }
    }

    /// The time of the next poll. It is now while more rows are due than one request takes.
    pub(super) fn next(&self) -> Instant {
        if self.database_fails() {
            return self.next_poll;
        }
        let reasons = [self.has_more.then_some(self.begin), self.gathered, self.retries.first().copied()];
        reasons.into_iter().flatten().fold(self.next_poll, Ord::min)
    }

    /// Whether the last round failed in the database, which is left alone until the next poll.
    pub(super) fn database_fails(&self) -> bool {
        self.database_failures > 0
    }

    /// Rows may be due.
    pub(super) fn notified(&mut self, now: Instant) {
        self.gathered = self.gathered.or(Some(now + GATHERING_DELAY));
    }

    /// A poll starts. Returns the rows to claim. After the poll interval, and while there is a backlog, these are all
    /// due rows. After a notification, or when failed rows are due again, they are recent rows. Such a poll does not
    /// postpone the regular one, which finds all others.
    pub(super) fn polled(&mut self, now: Instant, poll_interval: Duration) -> Due {
        self.gathered = None;
        self.retries.retain(|retry| *retry > now);
        if now < self.next_poll && !self.has_more {
            return Due::Recent;
        }
        self.next_poll = now + poll_interval;
        Due::All
    }

    /// A round that started at `started` has completed.
    pub(super) fn completed(&mut self, started: Instant, round: Result<Tick, DbErr>, now: Instant) {
        match round {
            Ok(tick) => {
                self.database_failures = 0;
                self.has_more = tick.has_more;
                if tick.postponed > 0 {
                    self.retries.insert(started + DESTINATION_RETRY);
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
                (self.has_more, self.gathered) = (false, None);
                self.next_poll = now + database_delay(self.database_failures);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Duration = Duration::from_mins(1);

    /// A schedule that has just polled, and the time.
    fn polled() -> (Schedule, Instant) {
        let now = Instant::now();
        let mut schedule = Schedule::new(now);
        assert_eq!(schedule.next(), now);
        assert_eq!(schedule.polled(now, POLL), Due::All);
        (schedule, now)
    }

    #[test]
    fn without_notifications_it_polls() {
        let (mut schedule, now) = polled();
        schedule.completed(now, Ok(Tick::default()), now);
        assert_eq!(schedule.next(), now + POLL);
    }

    #[test]
    fn rows_of_a_failed_round_are_polled_when_they_are_due_again() {
        let (mut schedule, now) = polled();
        schedule.completed(now, Ok(Tick { postponed: 3, ..Tick::default() }), now + Duration::from_secs(4));
        assert_eq!(schedule.next(), now + DESTINATION_RETRY);
        assert_eq!(schedule.polled(now + DESTINATION_RETRY, POLL), Due::Recent);
        assert_eq!(schedule.next(), now + POLL);
    }

    #[test]
    fn each_failed_round_is_polled_again_at_its_own_time() {
        let (mut schedule, now) = polled();
        let later = now + Duration::from_secs(2);
        let failed = || Ok(Tick { postponed: 3, ..Tick::default() });
        schedule.completed(later, failed(), later);
        schedule.completed(now, failed(), later);
        for started in [now, later] {
            assert_eq!(schedule.next(), started + DESTINATION_RETRY);
            schedule.polled(started + DESTINATION_RETRY, POLL);
        }
        assert_eq!(schedule.next(), now + POLL);
    }

    #[test]
    fn a_database_that_fails_for_a_while_costs_no_retry() {
        let (mut schedule, now) = polled();
        schedule.completed(now, Ok(Tick { postponed: 3, ..Tick::default() }), now);
        schedule.completed(now, Err(DbErr::Custom("gone".to_owned())), now);
        assert_eq!(schedule.next(), now + database_delay(1));
        schedule.polled(schedule.next(), POLL);
        schedule.completed(now, Ok(Tick::default()), now);
        assert_eq!(schedule.next(), now + DESTINATION_RETRY);
    }

    #[test]
    fn a_notification_waits_for_others_but_not_for_ever() {
        let (mut schedule, now) = polled();
        schedule.notified(now);
        schedule.notified(now + GATHERING_DELAY / 2);
        assert_eq!(schedule.next(), now + GATHERING_DELAY);
        assert_eq!(schedule.polled(now + GATHERING_DELAY, POLL), Due::Recent);
        assert_eq!(schedule.next(), now + POLL);
    }

    #[test]
    fn hints_without_end_do_not_put_off_the_poll() {
        let (mut schedule, begin) = polled();
        let mut now = begin;
        while now < begin + POLL {
            schedule.notified(now);
            now = schedule.next();
            let expected = if now < begin + POLL { Due::Recent } else { Due::All };
            assert_eq!(schedule.polled(now, POLL), expected);
            schedule.completed(now, Ok(Tick { claimed: 1, delivered: 1, ..Tick::default() }), now);
        }
        assert_eq!(now, begin + POLL);
    }

    #[test]
    fn while_there_is_more_it_polls_at_once() {
        let (mut schedule, now) = polled();
        schedule.completed(now, Ok(Tick { has_more: true, ..Tick::default() }), now);
        assert!(schedule.next() <= now);
        assert_eq!(schedule.polled(now, POLL), Due::All);
        schedule.completed(now, Ok(Tick::default()), now);
        assert_eq!(schedule.next(), now + POLL);
    }

    #[test]
    fn a_database_that_fails_is_polled_later_and_later() {
        let (mut schedule, now) = polled();
        schedule.notified(now);
        for failures in 1..=10 {
            schedule.completed(now, Err(DbErr::Custom("gone".to_owned())), now);
            assert!(schedule.database_fails());
            assert_eq!(schedule.next(), now + database_delay(failures));
        }
        schedule.completed(now, Ok(Tick::default()), now);
        assert!(!schedule.database_fails());
    }
}
