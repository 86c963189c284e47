//! A change feed among the replicas of a service, by NOTIFY of PostgreSQL: sent soon after a commit, never inside
//! the business transaction, where it would serialise commits.
//!
//! A replica that may have missed something is told so, whatever the cause. Messages are numbered, which shows a gap. Each
//! replica sends a beat while it has nothing else to say, and a good-bye after the last change: one that falls silent without
//! it was killed between a commit and its message. A replica hears its own beats too: else its connection is dead.
//!
//! On SQLite there is nobody to tell: a file has one process.

mod inbox;
mod listening;
mod message;
mod peers;
mod sending;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{database::Database, health::Heartbeat};
use inbox::Inbox;
use listening::keep_listening;
use sending::Sending;

/// One NOTIFY stands for all changes of this time; and what is heard in this time is handed over together, so that a
/// flood of notifications, forged ones among them, causes no more than ten looks a second.
const COALESCE: Duration = Duration::from_millis(100);
/// The longest time between two messages of a replica.
const BEAT: Duration = Duration::from_secs(3);
/// A replica that said nothing for so long, not even good-bye, is gone, or does not reach this one. Three beats, and a
/// second for a slow one.
const SILENT_AFTER: Duration = Duration::from_secs(10);
/// Changes that wait while the database is slow or away. Beyond, the others are told that they missed some.
const MAX_WAITING: usize = 1_024;

/// What a replica hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// These have changed, or something has if there are none.
    Changed(Vec<Uuid>),
    /// Some may have changed that were not told.
    Missed,
}

/// Tells the other replicas. The feed ends, with a good-bye, when the last clone of it is dropped.
#[derive(Clone)]
pub struct Publisher {
    queue: mpsc::Sender<Vec<Uuid>>,
    has_missed: Arc<AtomicBool>,
}

/// The other end of a [`Publisher`], to be connected to a database.
pub struct Channel {
    sending: Sending,
    inbox: Inbox,
}

/// The feed `name`, one in each database; `hear` is called with what other replicas send.
pub fn channel(name: &'static str, hear: impl Fn(Heard) + Send + Sync + 'static) -> (Publisher, Channel) {
    let process = Uuid::new_v4();
    let (queue, waiting) = mpsc::channel(MAX_WAITING);
    let has_missed = Arc::new(AtomicBool::new(false));
    let sending = Sending::new(name, process, waiting, Arc::clone(&has_missed));
    let inbox = Inbox::new(name, process, Box::new(hear));
    (Publisher { queue, has_missed }, Channel { sending, inbox })
}

impl Publisher {
    /// Tells the other replicas soon that these have changed, or that something has.
    pub fn send(&self, ids: &[Uuid]) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.queue.try_send(ids.to_vec()) {
            self.has_missed.store(true, Ordering::Release);
        }
    }

    /// Tells them that some may have changed which are not told.
    pub fn send_missed(&self) {
        self.has_missed.store(true, Ordering::Release);
        // It wakes the sender up; a full queue does so too.
        drop(self.queue.try_send(Vec::new()));
    }
}

/// Connects the feeds to the other replicas: hears them until shutdown, and tells them until nobody publishes any more.
pub async fn connect(channels: Vec<Channel>, database: Database, heartbeat: Heartbeat, shutdown: CancellationToken) {
    if database.write.get_database_backend() == DbBackend::Sqlite {
        drop(channels);
        heartbeat.rest();
        return shutdown.cancelled().await;
    }
    let (sending, inboxes): (Vec<_>, Vec<_>) =
        channels.into_iter().map(|channel| (channel.sending, channel.inbox)).unzip();
    let telling = join_all(sending.into_iter().map(|sending| sending.run(&database)));
    let hearing = async {
        tokio::select! {
            // Cancelled between notifications, on a connection of its own that ends with it.
            () = keep_listening(inboxes, &database, &heartbeat) => {}
            () = shutdown.cancelled() => {}
        }
        // What is left to tell may take its time, within that of the shutdown.
        heartbeat.rest();
    };
    tokio::join!(telling, hearing);
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").field("room", &self.queue.capacity()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}
