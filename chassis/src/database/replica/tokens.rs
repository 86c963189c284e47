//! Tokens of mutations: the end of the primary's log after their commits.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::{sync::Mutex, time::timeout};

use super::{super::Connections, position::Server};

/// Longest wait for a token. The mutation is done and its response waits.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(1);

/// Reads the end of the log for all mutations that have ended meanwhile at once.
#[derive(Debug)]
pub(super) struct Tokens {
    primary: Connections,
    begun: AtomicU64,
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    /// Number of the question.
    number: u64,
    token: Option<String>,
}

impl Tokens {
    pub(super) fn of(primary: Connections) -> Self {
        Self { primary, begun: AtomicU64::new(0), last: Mutex::default() }
    }

    /// A token of all that was committed before this call.
    pub(super) async fn token(&self) -> Option<String> {
        // The answer to a question that has begun before may lie before the commit.
        let first_that_fits = self.begun.load(Ordering::SeqCst) + 1;
        let mut last = self.last.lock().await;
        if last.number < first_that_fits {
            let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
            let asked = timeout(TOKEN_TIMEOUT, Server::ask(&self.primary)).await;
            let token = asked.ok().and_then(Result::ok).map(|server| server.inserted.token());
            *last = Last { number, token };
        }
        last.token.clone()
    }
}
