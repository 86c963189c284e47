//! Notifications between the replicas of a service, by PostgreSQL's NOTIFY. They are sent soon after a commit and never
//! inside the business transaction, where NOTIFY would serialise commits.
//!
//! A replica that may have missed a notification receives [`Notification::Missed`]. Numbered messages reveal a gap.
//! Each replica sends a heartbeat when it has nothing else to send, and a goodbye after its last change: one that falls
//! silent without a goodbye was killed between a commit and its message. A replica also receives its own heartbeats;
//! without them its connection is dead.
//!
//! On SQLite there is nothing to send: one process serves the file. A command beside it has no channel to it.

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

/// Changes within this interval share one NOTIFY, and notifications within it are delivered together. So a flood of
/// notifications, forged ones among them, causes at most ten deliveries a second.
const COALESCE_INTERVAL: Duration = Duration::from_millis(100);
/// Longest time between two messages of a replica.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(3);
/// A replica that is silent for this long, without a goodbye, is dead or cut off. Three heartbeats, and a second for a
/// slow one.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(10);
/// Changes that wait while the database is slow or down. Beyond it the other replicas receive `Missed`.
const MAX_QUEUED: usize = 1_024;

/// The channel of the feed `$1`. Services in other schemas of a database have other channels: they wake up nobody here. In
/// `public` it has the name of the feed, as for versions before.
macro_rules! channel_of_feed {
    () => {
        "CASE current_schema() WHEN 'public' THEN $1::text
         ELSE $1::text || '.' || (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) END"
    };
}
use channel_of_feed;

/// A notification of another replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// These rows have changed; unknown ones if the list is empty.
    Changed(Vec<Uuid>),
    /// Notifications were lost: any row may have changed.
    Missed,
}

/// Notifies the other replicas. The feed ends, with a goodbye, when the last clone is dropped.
#[derive(Clone)]
pub struct Publisher {
    queue: mpsc::Sender<Vec<Uuid>>,
    has_missed: Arc<AtomicBool>,
}

/// The receiving end of a [`Publisher`], to be connected to a database.
pub struct Channel {
    sending: Sending,
    inbox: Inbox,
}

/// The feed `name`, one per schema of a database; `on_notification` is called with the notifications of other replicas.
pub fn channel(
    name: &'static str,
    on_notification: impl Fn(Notification) + Send + Sync + 'static,
) -> (Publisher, Channel) {
    let process = Uuid::new_v4();
    let (queue, waiting) = mpsc::channel(MAX_QUEUED);
    let has_missed = Arc::new(AtomicBool::new(false));
    let sending = Sending::new(name, process, waiting, Arc::clone(&has_missed));
    let inbox = Inbox::new(name, process, Box::new(on_notification));
    (Publisher { queue, has_missed }, Channel { sending, inbox })
}

impl Publisher {
    /// Notifies the other replicas soon that these rows have changed; unknown ones if there are none.
    pub fn send(&self, ids: &[Uuid]) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.queue.try_send(ids.to_vec()) {
            self.has_missed.store(true, Ordering::Release);
        }
    }

    /// Notifies them of changes of unknown rows.
    pub(crate) fn send_missed(&self) {
        self.has_missed.store(true, Ordering::Release);
        // Wakes the sender; a full queue does so too.
        drop(self.queue.try_send(Vec::new()));
    }
}

/// Connects the feeds to the other replicas: receives until shutdown, and sends until the last publisher is dropped.
pub async fn connect(channels: Vec<Channel>, database: Database, heartbeat: Heartbeat, shutdown: CancellationToken) {
    if database.write.get_database_backend() == DbBackend::Sqlite {
        drop(channels);
        heartbeat.rest();
        return shutdown.cancelled().await;
    }
    let (sending, inboxes): (Vec<_>, Vec<_>) =
        channels.into_iter().map(|channel| (channel.sending, channel.inbox)).unzip();
    let sends = join_all(sending.into_iter().map(|sending| sending.run(&database)));
    let receives = async {
        tokio::select! {
            // Cancelled between notifications, on a connection of its own that ends with it.
            () = keep_listening(inboxes, &database, &heartbeat) => {}
            () = shutdown.cancelled() => {}
        }
        // Sending the rest may take as long as the shutdown allows.
        heartbeat.rest();
    };
    tokio::join!(sends, receives);
}

/// Sends to the replicas until the last publisher is dropped, and receives nothing: for a command, which is a process
/// beside them.
pub(crate) async fn send(channel: Channel, database: &Database) {
    if database.write.get_database_backend() == DbBackend::Postgres {
        channel.sending.run(database).await;
    }
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
