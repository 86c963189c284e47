//! Which rows have changed, told to everyone in this process and in the other replicas who subscribed.
//!
//! Only ids are told: a subscriber reads what it wants to show. One that is slow keeps nobody waiting and no
//! memory: it is told that it missed some.

use async_graphql::futures_util::{Stream, StreamExt};
use tokio::sync::broadcast::{self, error::RecvError};
use uuid::Uuid;

use crate::replicas::{Channel, Heard};

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
    subscribers: broadcast::Sender<Change>,
    /// To and from the other replicas.
    pub channel: Channel,
}

impl Changes {
    /// Changes that the other replicas hear through the channel `name`.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        let subscribers = broadcast::Sender::new(CAPACITY);
        let here = subscribers.clone();
        let channel = Channel::new(name, move |heard| match heard {
            Heard::Changed(ids) => ids.into_iter().for_each(|id| tell(&here, Change::Of(id))),
            Heard::Missed => tell(&here, Change::Missed),
        });
        Self { subscribers, channel }
    }

    /// These rows have changed, and the change is committed.
    pub fn publish(&self, ids: &[Uuid]) {
        if ids.is_empty() {
            return;
        }
        for id in ids {
            tell(&self.subscribers, Change::Of(*id));
        }
        self.channel.send(ids);
    }

    /// All changes from now on.
    pub fn subscribe(&self) -> impl Stream<Item = Change> + Send + use<> {
        futures_util::stream::unfold(self.subscribers.subscribe(), async |mut changes| match changes.recv().await {
            Ok(change) => Some((change, changes)),
            Err(RecvError::Lagged(_)) => Some((Change::Missed, changes)),
            Err(RecvError::Closed) => None,
        })
        .boxed()
    }
}

fn tell(subscribers: &broadcast::Sender<Change>, change: Change) {
    // An error only says that nobody has subscribed.
    drop(subscribers.send(change));
}
