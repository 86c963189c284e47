//! What this process's relay did in the last 15 minutes, in memory: for the console, which shows it while the database is
//! away too.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chassis::telemetry::one_line;
use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::shortened;

/// Buckets of the window.
const BUCKETS: usize = 90;
/// Time of a bucket.
const BUCKET: Duration = Duration::from_secs(10);

/// Payments that finance confirmed in ten seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bucket {
    /// Their number.
    pub confirmed: u32,
    /// Seconds from their finish to their confirmation, added up.
    pub delays: f64,
}

/// Calls of finance, and what they did to the breaker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Since when only probes are sent. `None`: the breaker is closed.
    pub open_since: Option<DateTime<Utc>>,
    /// End of the last call that succeeded.
    pub succeeded_at: Option<DateTime<Utc>>,
    /// End of the last call that failed, and why.
    pub failed: Option<(DateTime<Utc>, String)>,
}

/// The window, and the last calls.
#[derive(Debug)]
pub struct Activity {
    began: Instant,
    window: Mutex<Window>,
    calls: Mutex<Calls>,
}

/// A ring: the bucket of slot `n` is at `n % BUCKETS`.
#[derive(Debug)]
struct Window {
    buckets: [Bucket; BUCKETS],
    newest: u64,
}

impl Default for Activity {
    fn default() -> Self {
        let window = Window { buckets: [Bucket::default(); BUCKETS], newest: 0 };
        Self { began: Instant::now(), window: Mutex::new(window), calls: Mutex::default() }
    }
}

impl Activity {
    /// The buckets of the 15 minutes up to `now`, the oldest first.
    #[must_use]
    pub fn buckets(&self, now: Instant) -> Vec<Bucket> {
        let window = self.window(now);
        let oldest = position(window.newest + 1);
        [&window.buckets[oldest..], &window.buckets[..oldest]].concat()
    }

    /// The last calls.
    #[must_use]
    pub fn calls(&self) -> Calls {
        lock(&self.calls).clone()
    }

    /// Finance confirmed a payment `delay` seconds after its finish.
    pub(super) fn confirmed(&self, now: Instant, delay: f64) {
        let mut window = self.window(now);
        let newest = position(window.newest);
        let bucket = &mut window.buckets[newest];
        bucket.confirmed = bucket.confirmed.saturating_add(1);
        bucket.delays += delay;
    }

    /// A call has ended.
    pub(super) fn called(&self, now: DateTime<Utc>, is_breaker_open: bool, failure: Option<&str>) {
        let mut calls = lock(&self.calls);
        calls.open_since = is_breaker_open.then(|| calls.open_since.unwrap_or(now));
        match failure {
            None => calls.succeeded_at = Some(now),
            Some(failure) => {
                calls.failed = Some((now, shortened(&one_line(failure)).to_owned()));
            }
        }
    }

    /// The window, moved on to `now`.
    fn window(&self, now: Instant) -> MutexGuard<'_, Window> {
        let slot = now.saturating_duration_since(self.began).as_secs() / BUCKET.as_secs();
        let mut window = lock(&self.window);
        for passed in (window.newest + 1..=slot).rev().take(BUCKETS) {
            window.buckets[position(passed)] = Bucket::default();
        }
        window.newest = window.newest.max(slot);
        window
    }
}

fn position(slot: u64) -> usize {
    usize::try_from(slot % BUCKETS as u64).unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{super::MAX_ERROR_LENGTH, *};

    fn counts(activity: &Activity, after: u64) -> Vec<u32> {
        let buckets = activity.buckets(activity.began + Duration::from_secs(after));
        buckets.iter().map(|bucket| bucket.confirmed).collect()
    }

    #[test]
    fn each_payment_is_in_the_bucket_of_its_time_until_the_window_has_passed() {
        let activity = Activity::default();
        for (after, delay) in [(0, 1.0), (9, 2.0), (10, 4.0), (899, 8.0)] {
            activity.confirmed(activity.began + Duration::from_secs(after), delay);
        }
        let full = counts(&activity, 899);
        assert_eq!((full.len(), full[0], full[1], full[89], full.iter().sum()), (BUCKETS, 2, 1, 1, 4));
        let oldest = activity.buckets(activity.began + Duration::from_secs(899))[0];
        assert!((oldest.delays - 3.0).abs() < f64::EPSILON);
        let moved = counts(&activity, 900);
        assert_eq!((moved[0], moved[88], moved.iter().sum()), (1, 1, 2));
        assert_eq!(counts(&activity, 1_000_000).iter().sum::<u32>(), 0);
    }

    #[test]
    fn an_outage_has_its_begin_and_its_last_error() {
        let (activity, begin) = (Activity::default(), DateTime::UNIX_EPOCH);
        let at = |second| begin + Duration::from_secs(second);
        activity.called(at(0), false, Some("connection refused"));
        activity.called(at(5), true, Some("connection\nrefused"));
        activity.called(at(10), true, Some(&"x".repeat(1_000)));
        let calls = activity.calls();
        assert_eq!((calls.open_since, calls.succeeded_at), (Some(at(5)), None));
        assert_eq!(calls.failed.map(|(when, why)| (when, why.len())), Some((at(10), MAX_ERROR_LENGTH)));
        activity.called(at(15), false, None);
        assert_eq!((activity.calls().open_since, activity.calls().succeeded_at), (None, Some(at(15))));
    }
}
