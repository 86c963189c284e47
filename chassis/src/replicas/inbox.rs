//! Notifications of a channel, delivered a few times a second, and the detection of lost ones.

use std::mem;

use tokio::time::Instant;
use uuid::Uuid;

use super::{
    COALESCE_INTERVAL, Notification,
    message::{Content, Message},
    peers::Peers,
};

/// Ids that wait for delivery. Beyond it they become one `Missed`.
const MAX_PENDING_IDS: usize = 10_000;

/// The receiving end of a feed.
pub(super) struct Inbox {
    pub(super) name: &'static str,
    /// This replica, which receives its own messages too.
    process: Uuid,
    peers: Peers,
    /// The next notification to deliver, and the earliest time for it.
    pending: Option<Notification>,
    next: Instant,
    on_notification: Box<dyn Fn(Notification) + Send + Sync>,
}

impl Inbox {
    pub(super) fn new(
        name: &'static str,
        process: Uuid,
        on_notification: Box<dyn Fn(Notification) + Send + Sync>,
    ) -> Self {
        Self { name, process, peers: Peers::default(), pending: None, next: Instant::now(), on_notification }
    }

    /// Delivers `Missed`, for notifications from before the connection listened.
    pub(super) fn connected(&mut self, now: Instant) {
        self.peers.restarted(now);
        self.pending = None;
        (self.on_notification)(Notification::Missed);
    }

    /// Accepts a payload. Returns whether it is this replica's own.
    pub(super) fn receive(&mut self, payload: &str, now: Instant) -> bool {
        let Some(Message { process, number, content }) = Message::decode(payload) else { return false };
        if process == self.process {
            return true;
        }
        if number.is_some_and(|number| self.peers.received(process, number, now)) {
            self.add(Notification::Missed);
        }
        match content {
            Content::Changed(ids) => self.add(Notification::Changed(ids)),
            Content::Missed => self.add(Notification::Missed),
            Content::Goodbye => self.peers.left(process),
            Content::Heartbeat => {}
        }
        false
    }

    fn add(&mut self, notification: Notification) {
        self.pending = Some(match (self.pending.take(), notification) {
            (None, notification) => notification,
            (Some(Notification::Changed(mut before)), Notification::Changed(ids))
                if before.len() + ids.len() <= MAX_PENDING_IDS =>
            {
                before.extend(ids);
                Notification::Changed(before)
            }
            _ => Notification::Missed,
        });
    }

    /// Time of the next delivery; `None` without a notification.
    pub(super) fn next_delivery(&self) -> Option<Instant> {
        self.pending.as_ref().map(|_| self.next)
    }

    pub(super) fn deliver(&mut self, now: Instant) {
        if self.peers.forget_silent(now) {
            tracing::info!(
                channel = self.name,
                "a replica ended without a goodbye; notifications of its last changes may be lost"
            );
            self.add(Notification::Missed);
        }
        if self.next <= now
            && let Some(notification) = mem::take(&mut self.pending)
        {
            (self.on_notification)(notification);
            self.next = now + COALESCE_INTERVAL;
        }
    }
}
