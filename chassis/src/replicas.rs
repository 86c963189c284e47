//! Hints among the replicas of a service, by NOTIFY of PostgreSQL: sent soon after a commit, never inside
//! the business transaction, where they would serialise commits. Whoever misses one is told so.
//!
//! On SQLite there is nobody to tell: a file has one process.

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, sqlx};
use sqlx::postgres::{PgListener, PgNotification, PgPool};
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{backoff::database_delay, database::Database, health::Heartbeat};

/// One NOTIFY stands for all hints of this time.
const COALESCE: Duration = Duration::from_millis(100);
/// Ids in one NOTIFY, of which each takes 37 bytes: it carries at most 8,000.
const MAX_IDS: usize = 200;
/// Ids that wait while the database is slow or away. Beyond, the others are told that they missed some.
const MAX_WAITING: usize = 10_000;
/// After so long without a notification a connection is asked for one. Dead ones are found within three times this.
const SILENCE: Duration = Duration::from_secs(3);
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
    if database.notifications().is_none() {
        heartbeat.rest();
        return shutdown.cancelled().await;
    }
    let sending = join_all(channels.iter().map(|channel| channel.keep_sending(&database, &shutdown)));
    tokio::join!(sending, keep_listening(&channels, &database, &heartbeat, &shutdown));
}

async fn keep_listening(
    channels: &[Channel],
    database: &Database,
    heartbeat: &Heartbeat,
    shutdown: &CancellationToken,
) {
    let mut failures = 0;
    while !shutdown.is_cancelled() {
        heartbeat.beat();
        // Anew each time: one that is silent still belongs to its listener.
        let Some(connection) = database.notifications() else { return };
        let listened = tokio::select! {
            // Cancelled between notifications, on a connection of its own that ends with it.
            listened = listen(channels, &connection, heartbeat, &mut failures) => listened,
            () = shutdown.cancelled() => return,
        };
        if let Err(error) = listened {
            if failures == 0 {
                tracing::warn!(%error, "notifications of other replicas are lost; connecting again");
            } else {
                tracing::debug!(%error, "does not hear other replicas; trying again");
            }
        }
        // Also after a connection that was closed properly: it may be closed again at once.
        failures += 1;
        pause(database_delay(failures), shutdown).await;
    }
}

/// Hears the other replicas until the connection fails, or is found dead: a silent one is asked to notify itself.
async fn listen(
    channels: &[Channel],
    connection: &PgPool,
    heartbeat: &Heartbeat,
    failures: &mut u32,
) -> Result<(), sqlx::Error> {
    let own = format!("process_{}", Uuid::new_v4().simple());
    let names = channels.iter().map(|channel| channel.name).chain([own.as_str()]);
    let mut listener = within(SILENCE, PgListener::connect_with(connection)).await?;
    listener.eager_reconnect(false);
    within(SILENCE, listener.listen_all(names)).await?;
    *failures = 0;
    // For what was said while nobody listened.
    for channel in channels {
        (channel.hear)(Heard::Missed);
    }
    let mut is_asked = false;
    loop {
        heartbeat.beat();
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(heard))) => {
                is_asked &= heard.channel() != own;
                dispatch(channels, &heard);
            }
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(_) if is_asked => return Err(silent("does not deliver notifications")),
            Err(_) => {
                let ask = sqlx::query("SELECT pg_notify($1, '')").bind(&own);
                within(SILENCE, ask.execute(&mut listener)).await?;
                is_asked = true;
            }
        }
    }
}

async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    timeout(limit, answer).await.unwrap_or_else(|_| Err(silent("does not answer")))
}

fn silent(what: &str) -> sqlx::Error {
    sqlx::Error::Protocol(format!("the connection for notifications {what} within {} s", SILENCE.as_secs()))
}

fn dispatch(channels: &[Channel], heard: &PgNotification) {
    if let Some(channel) = channels.iter().find(|channel| channel.name == heard.channel()) {
        channel.receive(heard.payload());
    }
}

async fn pause(duration: Duration, shutdown: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(duration) => {}
        () = shutdown.cancelled() => {}
    }
}
