//! The state of the outbox in a sentence: the worst of what is true.

use super::{
    layout::{count, say},
    snapshot::{Snapshot, Unread},
    times::age,
};
use crate::{messages::MESSAGES, outbox::store::Backlog};

/// Age of the oldest payment, in seconds, above which nothing is good: the bound of the alert `PaymentsNotDelivered`.
const LATE: f64 = 60.0;

/// A state.
#[derive(Debug)]
pub(super) struct State {
    pub(super) text: String,
    /// What a refresh says when it has changed. It has no age, which changes all the time.
    pub(super) news: String,
    /// The class of its colours.
    pub(super) kind: &'static str,
}

impl State {
    /// The state of what was read, while the breaker of this process is open or not.
    pub(super) fn of(read: &Result<Snapshot, Unread>, is_breaker_open: bool) -> Self {
        match read {
            Err(unread) => Self::new(unread.text(), "bad"),
            Ok(Snapshot { backlog, .. }) => Self::of_backlog(backlog, is_breaker_open),
        }
    }

    fn of_backlog(backlog: &Backlog, is_breaker_open: bool) -> Self {
        let to_send = backlog.pending + backlog.processing;
        let late = backlog.oldest_seconds.filter(|age| *age > LATE);
        // With nothing to send no probe closes the breaker: it tells of the past.
        if is_breaker_open && to_send > 0 {
            Self::new(say("console-finance-down"), "bad")
        } else if let Some(oldest) = late {
            let text = MESSAGES.text("console-late", &[("age", &age(oldest))]);
            Self { text, news: say("console-overdue"), kind: "bad" }
        } else if backlog.parked > 0 {
            Self::new(count("console-some-parked", backlog.parked), "warn")
        } else if to_send > 0 {
            Self::new(say("console-delivering"), "good")
        } else {
            Self::new(say("console-all-delivered"), "good")
        }
    }

    fn new(text: String, kind: &'static str) -> Self {
        Self { news: text.clone(), text, kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(backlog: Backlog, is_breaker_open: bool) -> (String, &'static str) {
        let State { text, kind, .. } = State::of_backlog(&backlog, is_breaker_open);
        (text, kind)
    }

    #[test]
    fn an_open_breaker_is_an_outage_only_while_payments_wait() {
        let waiting = Backlog { pending: 1, oldest_seconds: Some(90.0), ..Backlog::default() };
        let sent = Backlog { processing: 1, oldest_seconds: Some(1.0), ..Backlog::default() };
        for backlog in [waiting, sent] {
            assert!(state(backlog, true).0.starts_with("Finance is failing"), "{backlog:?}");
        }
        assert_eq!(state(Backlog::default(), true), ("All payments are delivered".to_owned(), "good"));
        let parked = Backlog { parked: 2, ..Backlog::default() };
        assert_eq!(state(parked, true), ("Parked payments need a decision: 2".to_owned(), "warn"));
    }

    #[test]
    fn late_payments_are_bad_news_once_and_before_parked_ones() {
        let late = Backlog { pending: 1, parked: 1, oldest_seconds: Some(7_200.0), ..Backlog::default() };
        let State { text, news, kind } = State::of_backlog(&late, false);
        assert_eq!((text.as_str(), kind), ("Payments are late: the oldest waits 2 h", "bad"));
        assert_eq!(news, "Payments are late", "the age alone is no news");
        let in_time = Backlog { oldest_seconds: Some(60.0), ..late };
        assert_eq!(state(in_time, false).1, "warn");
        assert_eq!(state(Backlog { parked: 0, ..in_time }, false), ("Payments are being delivered".to_owned(), "good"));
    }
}
