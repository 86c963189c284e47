//! Tells the other replicas: what has changed, a beat when nothing has, and a good-bye when nobody publishes any more.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use uuid::Uuid;

use super::{
    BEAT, COALESCE, MAX_WAITING,
    message::{Content, MAX_IDS, Message},
};
use crate::{backoff::database_delay, database::Database};

/// The longest pause after a failure: a shutdown waits for it.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// How long a process that ends tries to say good-bye. Without one the others notice its silence.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(2);

/// This replica's end of a feed.
pub(super) struct Sending {
    name: &'static str,
    process: Uuid,
    /// Of the last message, whether it was sent or failed.
    number: u64,
    queue: mpsc::Receiver<Vec<Uuid>>,
    /// Something was not queued, or not sent.
    has_missed: Arc<AtomicBool>,
}

impl Sending {
    pub(super) fn new(
        name: &'static str,
        process: Uuid,
        queue: mpsc::Receiver<Vec<Uuid>>,
        has_missed: Arc<AtomicBool>,
    ) -> Self {
        Self { name, process, number: 0, queue, has_missed }
    }

    /// Begins with a beat, so that the others know of this replica before it has changed anything.
    pub(super) async fn run(mut self, database: &Database) {
        let (mut failures, mut longest_wait) = (0, Duration::ZERO);
        let mut changes = Vec::new();
        loop {
            tokio::select! {
                biased;
                received = self.queue.recv_many(&mut changes, MAX_WAITING) => if received == 0 { break },
                () = sleep(longest_wait) => {}
            }
            let sent = self.send_all(database, mem::take(&mut changes)).await;
            failures = if sent.is_ok() { 0 } else { failures + 1 };
            longest_wait = if sent.is_ok() { BEAT } else { Duration::ZERO };
            if let Err(error) = sent {
                tracing::debug!(%error, channel = self.name, "other replicas were not told; trying again");
                self.has_missed.store(true, Ordering::Release);
            }
            sleep(COALESCE.max(database_delay(failures)).min(MAX_PAUSE)).await;
        }
        if !matches!(timeout(GOODBYE_TIMEOUT, self.say_goodbye(database)).await, Ok(Ok(()))) {
            tracing::debug!(channel = self.name, "other replicas were not told of the end; they notice it");
        }
    }

    async fn send_all(&mut self, database: &Database, changes: Vec<Vec<Uuid>>) -> Result<(), DbErr> {
        let has_changes = !changes.is_empty();
        let ids = changes.concat();
        if self.has_missed.swap(false, Ordering::AcqRel) {
            self.send(database, Content::Missed).await
        } else if ids.is_empty() {
            self.send(database, if has_changes { Content::Changed(ids) } else { Content::Beat }).await
        } else {
            for ids in ids.chunks(MAX_IDS) {
                self.send(database, Content::Changed(ids.to_vec())).await?;
            }
            Ok(())
        }
    }

    async fn say_goodbye(&mut self, database: &Database) -> Result<(), DbErr> {
        if self.has_missed.swap(false, Ordering::AcqRel) {
            self.send(database, Content::Missed).await?;
        }
        self.send(database, Content::Goodbye).await
    }

    /// One that failed may have been sent all the same: its number is not used again.
    async fn send(&mut self, database: &Database, content: Content) -> Result<(), DbErr> {
        self.number += 1;
        let message = Message { process: self.process, number: Some(self.number), content };
        let values = [self.name.into(), message.encode().into()];
        let notify = Statement::from_sql_and_values(DbBackend::Postgres, "SELECT pg_notify($1, $2)", values);
        database.write.execute_raw(notify).await.map(drop)
    }
}
