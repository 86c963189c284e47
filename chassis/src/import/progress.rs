//! Progress of an import on standard error: a bar on a terminal, a line from time to time elsewhere.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use tokio::time::Instant;

use crate::cli;

const BAR_INTERVAL: Duration = Duration::from_millis(100);
const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// Characters of the bar.
const WIDTH: u64 = 30;

#[derive(Debug)]
pub(super) struct Progress {
    is_terminal: bool,
    total: u64,
    done: u64,
    began: Instant,
    shown: Instant,
}

impl Progress {
    pub(super) fn new(total: u64) -> Self {
        let now = Instant::now();
        Self { is_terminal: io::stderr().is_terminal(), total, done: 0, began: now, shown: now }
    }

    /// Shows it, if the last time was long enough ago.
    pub(super) fn add(&mut self, rows: u64) {
        self.done += rows;
        let interval = if self.is_terminal { BAR_INTERVAL } else { LINE_INTERVAL };
        if self.shown.elapsed() < interval {
            return;
        }
        self.shown = Instant::now();
        let (share, rate) = (self.share(100), self.rate());
        let text = format!("{share}%: {} of {} rows, {rate} rows/s", self.done, self.total);
        if self.is_terminal {
            let full = usize::try_from(self.share(WIDTH)).unwrap_or_default();
            // Like a note: it may be lost.
            let _ = write!(io::stderr(), "\r[{:<30}] {text}\x1b[K", "#".repeat(full));
        } else {
            cli::note(text);
        }
    }

    /// Takes the bar away, until it is shown again.
    pub(super) fn hide(&self) {
        if self.is_terminal {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    /// The share that is done, of `whole`. More rows than were counted are all of them.
    fn share(&self, whole: u64) -> u64 {
        (self.done * whole).checked_div(self.total).unwrap_or(whole).min(whole)
    }

    fn rate(&self) -> u64 {
        let milliseconds = self.began.elapsed().as_millis().max(1);
        u64::try_from(u128::from(self.done) * 1_000 / milliseconds).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn progress_is_a_share_of_what_was_counted_and_never_more() {
        let mut progress = Progress::new(8);
        assert_eq!(progress.share(100), 0);
        tokio::time::advance(Duration::from_secs(2)).await;
        progress.add(6);
        assert_eq!((progress.share(100), progress.share(WIDTH), progress.rate()), (75, 22, 3));
        progress.add(6);
        assert_eq!(progress.share(100), 100);
        assert_eq!(Progress::new(0).share(100), 100, "an empty table is done");
    }
}
