//! Sends to the other replicas: changes, a heartbeat without changes, and a goodbye after the last publisher.

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
    COALESCE_INTERVAL, HEARTBEAT_INTERVAL, MAX_QUEUED, channel_of_feed,
    message::{Content, MAX_IDS, Message},
};
use crate::{backoff::database_delay, database::Database};

/// Longest delay after a failure. A shutdown waits for it.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(1);
/// Longest attempt to send the goodbye. Without one the others notice the silence.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(2);

const NOTIFY: &str = concat!("SELECT pg_notify(", channel_of_feed!(), ", $2)");

/// The sending end of a feed.
pub(super) struct Sending {
    name: &'static str,
    process: Uuid,
    /// Number of the last message, sent or failed.
    number: u64,
    queue: mpsc::Receiver<Vec<Uuid>>,
    /// A change was not queued, or not sent.
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

    /// Starts with a heartbeat, so that the others know this replica before its first change.
    pub(super) async fn run(mut self, database: &Database) {
        let (mut failures, mut longest_wait) = (0, Duration::ZERO);
        let mut changes = Vec::new();
        loop {
            tokio::select! {
                biased;
                received = self.queue.recv_many(&mut changes, MAX_QUEUED) => if received == 0 { break },
                () = sleep(longest_wait) => {}
            }
            let sent = self.send_all(database, mem::take(&mut changes)).await;
            failures = if sent.is_ok() { 0 } else { failures + 1 };
            longest_wait = if sent.is_ok() { HEARTBEAT_INTERVAL } else { Duration::ZERO };
            if let Err(error) = sent {
                tracing::debug!(%error, channel = self.name, "other replicas were not notified; trying again");
                self.has_missed.store(true, Ordering::Release);
            }
            sleep(COALESCE_INTERVAL.max(database_delay(failures)).min(MAX_RETRY_DELAY)).await;
        }
        if !matches!(timeout(GOODBYE_TIMEOUT, self.send_goodbye(database)).await, Ok(Ok(()))) {
            tracing::debug!(channel = self.name, "no goodbye was sent; other replicas notice the silence");
        }
    }

    async fn send_all(&mut self, database: &Database, changes: Vec<Vec<Uuid>>) -> Result<(), DbErr> {
        let has_changes = !changes.is_empty();
        let ids = changes.concat();
        if self.has_missed.swap(false, Ordering::AcqRel) {
            self.send(database, Content::Missed).await
        } else if ids.is_empty() {
            self.send(database, if has_changes { Content::Changed(ids) } else { Content::Heartbeat }).await
        } else {
            for ids in ids.chunks(MAX_IDS) {
                self.send(database, Content::Changed(ids.to_vec())).await?;
            }
            Ok(())
        }
    }

    async fn send_goodbye(&mut self, database: &Database) -> Result<(), DbErr> {
        if self.has_missed.swap(false, Ordering::AcqRel) {
            self.send(database, Content::Missed).await?;
        }
        self.send(database, Content::Goodbye).await
    }

    /// A failed message may have been sent nevertheless: its number is not reused.
    async fn send(&mut self, database: &Database, content: Content) -> Result<(), DbErr> {
        self.number += 1;
        let message = Message { process: self.process, number: Some(self.number), content };
        let values = [self.name.into(), message.encode().into()];
        let notify = Statement::from_sql_and_values(DbBackend::Postgres, NOTIFY, values);
        database.write.execute_raw(notify).await.map(drop)
    }
}
