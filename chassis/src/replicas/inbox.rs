//! What was heard on a channel, handed over a few times a second; and what was not heard although it was sent.

use std::mem;

use tokio::time::Instant;
use uuid::Uuid;

use super::{
    COALESCE, Heard,
    message::{Content, Message},
    peers::Peers,
};

/// Ids that wait to be handed over. Beyond, all that is said of them is that some were missed.
const MAX_HEARD: usize = 10_000;

/// The other replicas' end of a feed.
pub(super) struct Inbox {
    pub(super) name: &'static str,
    /// This replica: it hears itself too.
    process: Uuid,
    peers: Peers,
    /// What is handed over next, and not before.
    heard: Option<Heard>,
    next: Instant,
    hear: Box<dyn Fn(Heard) + Send + Sync>,
}

impl Inbox {
    pub(super) fn new(name: &'static str, process: Uuid, hear: Box<dyn Fn(Heard) + Send + Sync>) -> Self {
        Self { name, process, peers: Peers::default(), heard: None, next: Instant::now(), hear }
    }

    /// For what was said while nobody listened.
    pub(super) fn listens_again(&mut self, now: Instant) {
        self.peers.listened_again(now);
        self.heard = None;
        (self.hear)(Heard::Missed);
    }

    /// Takes a notification in. Returns whether it is this replica's own.
    pub(super) fn receive(&mut self, payload: &str, now: Instant) -> bool {
        let Some(Message { process, number, content }) = Message::decode(payload) else { return false };
        if process == self.process {
            return true;
        }
        if number.is_some_and(|number| self.peers.heard(process, number, now)) {
            self.add(Heard::Missed);
        }
        match content {
            Content::Changed(ids) => self.add(Heard::Changed(ids)),
            Content::Missed => self.add(Heard::Missed),
            Content::Goodbye => self.peers.left(process),
            Content::Beat => {}
        }
        false
    }

    fn add(&mut self, heard: Heard) {
        self.heard = Some(match (self.heard.take(), heard) {
            (None, heard) => heard,
            (Some(Heard::Changed(mut before)), Heard::Changed(ids)) if before.len() + ids.len() <= MAX_HEARD => {
                before.extend(ids);
                Heard::Changed(before)
            }
            _ => Heard::Missed,
        });
    }

    /// When there is something to hand over.
    pub(super) fn next_handover(&self) -> Option<Instant> {
        self.heard.as_ref().map(|_| self.next)
    }

    pub(super) fn hand_over(&mut self, now: Instant) {
        if self.peers.forget_silent(now) {
            tracing::info!(
                channel = self.name,
                "a replica ended without a good-bye; what it changed last may be unknown"
            );
            self.add(Heard::Missed);
        }
        if self.next <= now
            && let Some(heard) = mem::take(&mut self.heard)
        {
            (self.hear)(heard);
            self.next = now + COALESCE;
        }
    }
}
