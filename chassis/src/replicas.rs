//! Hints among the replicas of a service, by NOTIFY of PostgreSQL: sent soon after a commit, never inside
//! the business transaction, where they would serialise commits. Whoever misses one is told so.
//!
//! On SQLite there is nobody to tell: a file has one process.

mod listening;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{backoff::database_delay, database::Database, health::Heartbeat};
use listening::keep_listening;

/// One NOTIFY stands for all hints of this time.
const COALESCE: Duration = Duration::from_millis(100);
/// Ids in one NOTIFY, of which each takes 37 bytes: it carries at most 8,000.
const MAX_IDS: usize = 200;
/// Ids that wait while the database is slow or away. Beyond, the others are told that they missed some.
const MAX_WAITING: usize = 10_000;
/// In place of ids.
const TOO_MANY: &str = "too-many";

/// What a replica hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// These have changed, or something has if there are none.
    Changed(Vec<Uuid>),
    /// Hints may have been lost.
    Missed,
}

/// A kind of hints, among the replicas that share a database.
#[derive(Clone)]
pub struct Channel {
    name: &'static str,
    /// Tells this process's own hints from those of others.
    process: Uuid,
    waiting: Arc<Mutex<Waiting>>,
    has_waiting: Arc<Notify>,
    hear: Arc<dyn Fn(Heard) + Send + Sync>,
}

#[derive(Debug, Default)]
struct Waiting {
    ids: Vec<Uuid>,
    too_many: bool,
}

impl Channel {
    /// The channel `name`, one in each database; `hear` is called with what other replicas send.
    pub fn new(name: &'static str, hear: impl Fn(Heard) + Send + Sync + 'static) -> Self {
        let (waiting, has_waiting) = (Arc::default(), Arc::default());
        Self { name, process: Uuid::new_v4(), waiting, has_waiting, hear: Arc::new(hear) }
    }

    /// Tells the other replicas soon that these have changed, or that something has.
    pub fn send(&self, ids: &[Uuid]) {
        let mut waiting = self.waiting();
        if waiting.ids.len() + ids.len() > MAX_WAITING {
            *waiting = Waiting { ids: Vec::new(), too_many: true };
        } else if !waiting.too_many {
            waiting.ids.extend(ids);
        }
        drop(waiting);
        self.has_waiting.notify_one();
    }

    async fn keep_sending(&self, database: &Database, shutdown: &CancellationToken) {
        let mut failures = 0;
        loop {
            tokio::select! {
                () = self.has_waiting.notified() => {}
                () = shutdown.cancelled() => return,
            }
            let sent = self.send_waiting(database).await;
            failures = if sent.is_ok() { 0 } else { failures + 1 };
            if let Err(error) = sent {
                tracing::debug!(%error, channel = self.name, "other replicas were not told; trying again");
                self.waiting().too_many = true;
                self.has_waiting.notify_one();
            }
            pause(COALESCE.max(database_delay(failures)), shutdown).await;
        }
    }

    async fn send_waiting(&self, database: &Database) -> Result<(), DbErr> {
        let Waiting { ids, too_many } = std::mem::take(&mut *self.waiting());
        let mut messages: Vec<_> = ids.chunks(MAX_IDS).map(|ids| self.message(ids)).collect();
        if too_many {
            messages = vec![format!("{} {TOO_MANY}", self.process)];
        } else if messages.is_empty() {
            messages.push(self.message(&[]));
        }
        for message in messages {
            let values = [self.name.into(), message.into()];
            let notify = Statement::from_sql_and_values(DbBackend::Postgres, "SELECT pg_notify($1, $2)", values);
            database.write.execute_raw(notify).await?;
        }
        Ok(())
    }

    /// The sender, and the ids.
    fn message(&self, ids: &[Uuid]) -> String {
        let words: Vec<_> = std::iter::once(&self.process).chain(ids).map(Uuid::to_string).collect();
        words.join(" ")
    }

    fn receive(&self, message: &str) {
        let mut words = message.split(' ');
        if words.next() == Some(&self.process.to_string()) {
            return;
        }
        let ids: Result<_, _> = words.map(str::parse).collect();
        (self.hear)(ids.map_or(Heard::Missed, Heard::Changed));
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Passes hints on to the other replicas and theirs to this one, until shutdown.
pub async fn connect(channels: Vec<Channel>, database: Database, heartbeat: Heartbeat, shutdown: CancellationToken) {
    if database.write.get_database_backend() == DbBackend::Sqlite {
        heartbeat.rest();
        return shutdown.cancelled().await;
    }
    let sending = join_all(channels.iter().map(|channel| channel.keep_sending(&database, &shutdown)));
    tokio::join!(sending, keep_listening(&channels, &database, &heartbeat, &shutdown));
}

async fn pause(duration: Duration, shutdown: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(duration) => {}
        () = shutdown.cancelled() => {}
    }
}
