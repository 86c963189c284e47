//! Change feed: the ids of changed rows, for subscribers in this process and in the other replicas.
//!
//! Only ids are sent; a subscriber reads the rows that it needs. A slow subscriber blocks nobody and takes no memory:
//! it receives [`Change::Missed`].

mod following;
mod watchers;

use async_graphql::futures_util::{Stream, StreamExt};
use tokio::sync::broadcast::{self, error::RecvError};
use uuid::Uuid;

use crate::{
    database::Database,
    replicas::{self, Channel, Notification, Publisher},
};
pub use watchers::Watcher;
use watchers::Watchers;

/// Changes that a subscriber may lag behind.
const CAPACITY: usize = 4_096;

/// An event of the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The row with this id has changed.
    Of(Uuid),
    /// Rows may have changed without an event for this subscriber.
    Missed,
}

/// The changes of one table.
#[derive(Clone, Debug)]
pub struct Changes {
    local: LocalSubscribers,
    replicas: Publisher,
}

/// Subscribers in this process.
#[derive(Clone, Debug)]
struct LocalSubscribers {
    /// Subscribers to all changes.
    subscribers: broadcast::Sender<Change>,
    /// Subscribers to single rows.
    watchers: Watchers,
}

impl Changes {
    /// The feed, and the channel `name` through which replicas exchange it once it is connected.
    #[must_use]
    pub fn new(name: &'static str) -> (Self, Channel) {
        let local_subscribers =
            LocalSubscribers { subscribers: broadcast::Sender::new(CAPACITY), watchers: Watchers::default() };
        let local = local_subscribers.clone();
        let (replicas, channel) = replicas::channel(name, move |notification| match notification {
            Notification::Changed(ids) => local.changed(&ids),
            Notification::Missed => local.missed(),
        });
        (Self { local: local_subscribers, replicas }, channel)
    }

    /// Runs a command beside the service, and sends what it publishes to the subscribers of all replicas, as a replica
    /// does: they receive `Missed` also if the command is killed between a commit and its message. On SQLite nobody
    /// receives anything. The command has to drop the feed, which holds up the result otherwise.
    pub async fn beside<T>(name: &'static str, database: &Database, command: impl AsyncFnOnce(Self) -> T) -> T {
        let (changes, channel) = Self::new(name);
        let ((), done) = tokio::join!(replicas::send(channel, database), command(changes));
        done
    }

    /// Publishes the change of these rows. It must be committed.
    pub fn publish(&self, ids: &[Uuid]) {
        if !ids.is_empty() {
            self.local.changed(ids);
            self.replicas.send(ids);
        }
    }

    /// Publishes a change of unknown rows, as when the answer to a commit was lost.
    pub fn publish_missed(&self) {
        self.local.missed();
        self.replicas.send_missed();
    }

    /// Changes of all rows from now on.
    pub fn subscribe(&self) -> impl Stream<Item = Change> + Send + use<> {
        let subscriber = self.local.subscribers.subscribe();
        futures_util::stream::unfold(subscriber, async |mut changes| match changes.recv().await {
            Ok(change) => Some((change, changes)),
            Err(RecvError::Lagged(_)) => Some((Change::Missed, changes)),
            Err(RecvError::Closed) => None,
        })
        .boxed()
    }

    /// Changes of one row from now on. Changes of other rows cost it nothing.
    #[must_use]
    pub fn watch(&self, id: Uuid) -> Watcher {
        self.local.watchers.watch(id)
    }
}

impl LocalSubscribers {
    fn changed(&self, ids: &[Uuid]) {
        self.watchers.notify(ids);
        for id in ids {
            self.broadcast(Change::Of(*id));
        }
    }

    fn missed(&self) {
        self.watchers.notify_all();
        self.broadcast(Change::Missed);
    }

    fn broadcast(&self, change: Change) {
        // Fails only without subscribers.
        drop(self.subscribers.send(change));
    }
}
