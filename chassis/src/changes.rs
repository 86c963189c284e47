//! Which rows have changed, told to everyone in this process and in the other replicas who subscribed.
//!
//! Only ids are told: a subscriber reads what it wants to show. One that is slow keeps nobody waiting and no
//! memory: it is told that it missed some.

mod watchers;

use async_graphql::futures_util::{Stream, StreamExt};
use tokio::sync::broadcast::{self, error::RecvError};
use uuid::Uuid;

use crate::replicas::{self, Channel, Heard, Publisher};
pub use watchers::Watcher;
use watchers::Watchers;

/// How many changes a subscriber may lag behind.
const CAPACITY: usize = 4_096;

/// What a subscriber is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The row with this id has changed.
    Of(Uuid),
    /// Rows may have changed of which this subscriber was not told.
    Missed,
}

/// The changes of one table.
#[derive(Clone, Debug)]
pub struct Changes {
    here: Here,
    replicas: Publisher,
}

/// Those in this process who are told.
#[derive(Clone, Debug)]
struct Here {
    /// Of all changes.
    subscribers: broadcast::Sender<Change>,
    /// Of one row's.
    watchers: Watchers,
}

impl Changes {
    /// Changes that the other replicas hear through the channel `name`, once it is connected.
    #[must_use]
    pub fn new(name: &'static str) -> (Self, Channel) {
        let here = Here { subscribers: broadcast::Sender::new(CAPACITY), watchers: Watchers::default() };
        let told = here.clone();
        let (replicas, channel) = replicas::channel(name, move |heard| match heard {
            Heard::Changed(ids) => told.changed(&ids),
            Heard::Missed => told.missed(),
        });
        (Self { here, replicas }, channel)
    }

    /// These rows have changed, and the change is committed.
    pub fn publish(&self, ids: &[Uuid]) {
        if !ids.is_empty() {
            self.here.changed(ids);
            self.replicas.send(ids);
        }
    }

    /// Rows may have changed, and nobody knows which, as when the answer to a commit was lost.
    pub fn publish_missed(&self) {
        self.here.missed();
        self.replicas.send_missed();
    }

    /// All changes from now on.
    pub fn subscribe(&self) -> impl Stream<Item = Change> + Send + use<> {
        let subscriber = self.here.subscribers.subscribe();
        futures_util::stream::unfold(subscriber, async |mut changes| match changes.recv().await {
            Ok(change) => Some((change, changes)),
            Err(RecvError::Lagged(_)) => Some((Change::Missed, changes)),
            Err(RecvError::Closed) => None,
        })
        .boxed()
    }

    /// The changes of one row from now on. What changes elsewhere costs it nothing.
    #[must_use]
    pub fn watch(&self, id: Uuid) -> Watcher {
        self.here.watchers.watch(id)
    }
}

impl Here {
    fn changed(&self, ids: &[Uuid]) {
        self.watchers.tell(ids);
        for id in ids {
            self.broadcast(Change::Of(*id));
        }
    }

    fn missed(&self) {
        self.watchers.tell_all();
        self.broadcast(Change::Missed);
    }

    fn broadcast(&self, change: Change) {
        // An error only says that nobody has subscribed.
        drop(self.subscribers.send(change));
    }
}
