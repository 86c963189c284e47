//! Asks the primary and the replica for their positions until shutdown. Logs once when queries leave the replica, and
//! once when they come back.

use std::{future::Future, time::Duration};

use sea_orm::DbErr;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Replica, Seen, position::Server, staleness::Staleness};
use crate::health::Heartbeat;

/// Pause between two rounds. It is part of the staleness that can be shown.
pub(super) const ASK_INTERVAL: Duration = Duration::from_millis(250);
/// Longest wait for an answer, connecting included. A server that is silent for longer is away.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// Why queries read from the primary.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("it does not answer: {0}")]
    Away(String),
    #[error("the primary does not answer, so it is not known how late it is: {0}")]
    Unmeasured(String),
    #[error("it is of another server or another timeline than the primary, or that is not known yet")]
    OtherHistory,
    #[error("it is late by more than {0:?}")]
    Late(Duration),
}

/// The watch over a replica.
pub(super) struct Watch<'a> {
    replica: &'a Replica,
    staleness: Staleness,
    /// The server that has answered for the replica.
    answered: Option<String>,
    /// What was logged last.
    is_used: Option<bool>,
}

impl<'a> Watch<'a> {
    pub(super) fn over(replica: &'a Replica) -> Self {
        Self { replica, staleness: Staleness::new(replica.max_staleness), answered: None, is_used: None }
    }

    pub(super) async fn run(mut self, heartbeat: &Heartbeat, shutdown: &CancellationToken) {
        while !shutdown.is_cancelled() {
            let found = self.look().await;
            heartbeat.beat();
            self.log(&found);
            tokio::select! {
                () = sleep(ASK_INTERVAL) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    /// One round.
    async fn look(&mut self) -> Result<(), Unusable> {
        let asked_at = Instant::now();
        // The primary first: the replica may have replayed that position when it is asked.
        let primary = answer(Server::ask(&self.replica.primary)).await;
        let replica = answer(Server::ask(&self.replica.check)).await.map_err(Unusable::Away);
        let seen = replica.and_then(|replica| self.compare(asked_at, primary.as_ref().ok(), &replica));
        self.replica.found(seen.as_ref().ok().copied());
        let bound = self.replica.max_staleness;
        match (seen?.as_of.elapsed() > bound, primary) {
            // Without new positions of the primary the replica becomes late by itself.
            (true, Err(silence)) => Err(Unusable::Unmeasured(silence)),
            (true, Ok(_)) => Err(Unusable::Late(bound)),
            (false, _) => Ok(()),
        }
    }

    fn compare(&mut self, asked_at: Instant, primary: Option<&Server>, replica: &Server) -> Result<Seen, Unusable> {
        if self.answered.replace(replica.started.clone()).as_ref() != Some(&replica.started) {
            // What another server had replayed, this one need not have.
            self.staleness.forget();
        }
        if let Some(primary) = primary {
            let is_same_history = primary.visible.is_in_history_of(&replica.visible)
                // Of two that are no standbys, one would be a copy that goes its own way.
                && (replica.is_standby || replica.started == primary.started);
            if !is_same_history {
                self.staleness.forget();
                return Err(Unusable::OtherHistory);
            }
            self.staleness.asked(asked_at, primary.visible);
        }
        let as_of = self.staleness.replayed(&replica.visible);
        let seen = as_of.map(|as_of| Seen { position: replica.visible, as_of });
        seen.ok_or(Unusable::Late(self.replica.max_staleness))
    }

    fn log(&mut self, found: &Result<(), Unusable>) {
        // Before the first answers agree nothing is wrong yet.
        if self.is_used.is_none() && matches!(found, Err(Unusable::Late(_))) {
            return;
        }
        if self.is_used.replace(found.is_ok()) == Some(found.is_ok()) {
            return;
        }
        let address = self.replica.read.address();
        match found {
            Ok(()) => tracing::info!(replica = address, "queries read from the replica"),
            Err(why) => tracing::warn!(replica = address, "queries read from the primary, not from the replica: {why}"),
        }
    }
}

async fn answer<T>(asked: impl Future<Output = Result<T, DbErr>>) -> Result<T, String> {
    match timeout(ANSWER_TIMEOUT, asked).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("not within {} s", ANSWER_TIMEOUT.as_secs())),
    }
}
