//! Group commit: callers hand over a row or a few, one task writes whatever is waiting in one go.
//!
//! It never waits for company. A lone row is written at once; under load the rows that arrive during
//! one commit share the next. An answer is sent after the commit, so durability is that of one commit
//! per row. A caller that goes away changes nothing: the database calls run in the writer's own task.
//! A row that somebody else has locked delays its own caller only, who hands it over again.

mod writing;

use std::{
    fmt::{self, Debug, Display, Formatter},
    future::Future,
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, timeout},
};

use crate::health::Heartbeat;
use writing::run;

/// At most this many callers wait; beyond, callers are refused at once and may try again.
const MAX_QUEUED: usize = 1024;
/// The longest wait of a caller. A client is to be answered within 10 s, whatever the database does.
const CALLER_TIMEOUT: Duration = Duration::from_secs(9);
/// How long a locked row is tried again, and how often: as long as PostgreSQL's `lock_timeout` would wait.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// How rows are written. Implementations write in an order of their own that is the same in every
/// process (by key), so that the batches of two replicas cannot deadlock.
pub trait BatchWriter: Send + Sync + 'static {
    /// What a caller hands over.
    type Row: Clone + Send + Sync + 'static;
    /// What a caller gets back: done, or refused by a rule.
    type Answer: Send + 'static;
    /// The whole batch failed and changed nothing, or nothing is known of it.
    type Fault: Display + Clone + Send + 'static;

    /// Writes all rows in one transaction and answers each, in the order of `rows`; nothing for a row that somebody
    /// else has locked, which is not written. A row may be one of which an earlier attempt was committed without an
    /// answer: it must be answered as then.
    fn write(&self, rows: &[Self::Row]) -> impl Future<Output = Result<Vec<Option<Self::Answer>>, Self::Fault>> + Send;

    /// Whether the fault is about the rows that were written, so that other rows may do better.
    fn is_about_rows(fault: &Self::Fault) -> bool;
}

/// Why a row has no answer.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<F> {
    /// Too many rows are waiting; nothing was written; try again.
    #[error("too many writes are waiting")]
    Overloaded,
    /// Somebody else has locked what the row would change; nothing was written; try again.
    #[error("somebody else has locked it")]
    Locked,
    /// The service is shutting down.
    #[error("the writer has stopped")]
    Stopped,
    /// Neither written nor failed in time; it is unknown whether it was or will be written.
    #[error("not written within {} s", CALLER_TIMEOUT.as_secs())]
    TimedOut,
    /// The database failed.
    #[error("{0}")]
    Failed(F),
}

/// What became of one row.
enum Outcome<W: BatchWriter> {
    Answered(W::Answer),
    /// Not written: it has waited for so long that its answer would come too late.
    Late,
    /// Not written: the row comes back.
    Locked(W::Row),
    Failed(W::Fault),
}

/// The rows of one caller, which stay together.
struct Job<W: BatchWriter> {
    rows: Vec<W::Row>,
    reply: oneshot::Sender<Vec<Outcome<W>>>,
    queued: Instant,
}

/// The callers' end.
pub struct WriteCoalescer<W: BatchWriter> {
    queue: mpsc::Sender<Job<W>>,
}

impl<W: BatchWriter> WriteCoalescer<W> {
    /// The callers' end and the writer's task, which ends when the last caller's end is dropped and
    /// everything queued has been written. `heartbeat` beats with each batch.
    pub fn new(writer: W, heartbeat: Heartbeat) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (queue, jobs) = mpsc::channel(MAX_QUEUED);
        heartbeat.rest();
        (Self { queue }, run(writer, jobs, heartbeat))
    }

    /// Queues a row and waits for its own answer.
    ///
    /// # Errors
    /// See [`WriteError`]. After [`WriteError::Failed`] it is unknown whether the row was written.
    pub async fn write(&self, row: W::Row) -> Result<W::Answer, WriteError<W::Fault>> {
        let written = async { self.settle(self.submit_one(row).await?).await };
        timeout(CALLER_TIMEOUT, written).await.unwrap_or(Err(WriteError::TimedOut))
    }

    /// Queues rows that are written together, and waits for the answer to each, in their order.
    ///
    /// # Errors
    /// When none was queued, or they were not answered in time; each row's own are within the answer.
    pub async fn write_all(
        &self,
        rows: Vec<W::Row>,
    ) -> Result<Vec<Result<W::Answer, WriteError<W::Fault>>>, WriteError<W::Fault>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let written = async {
            let outcomes = self.submit(rows).await?;
            Ok(join_all(outcomes.into_iter().map(|outcome| self.settle(outcome))).await)
        };
        timeout(CALLER_TIMEOUT, written).await.unwrap_or(Err(WriteError::TimedOut))
    }

    /// Hands a locked row over again, until it is no longer locked or it has taken too long.
    async fn settle(&self, mut outcome: Outcome<W>) -> Result<W::Answer, WriteError<W::Fault>> {
        let began = Instant::now();
        loop {
            outcome = match outcome {
                Outcome::Answered(answer) => return Ok(answer),
                Outcome::Failed(fault) => return Err(WriteError::Failed(fault)),
                Outcome::Late => return Err(WriteError::Overloaded),
                Outcome::Locked(_) if began.elapsed() > LOCK_TIMEOUT => return Err(WriteError::Locked),
                Outcome::Locked(row) => {
                    sleep(LOCK_PAUSE).await;
                    self.submit_one(row).await?
                }
            }
        }
    }

    async fn submit_one(&self, row: W::Row) -> Result<Outcome<W>, WriteError<W::Fault>> {
        self.submit(vec![row]).await?.pop().ok_or(WriteError::Stopped)
    }

    async fn submit(&self, rows: Vec<W::Row>) -> Result<Vec<Outcome<W>>, WriteError<W::Fault>> {
        let (reply, outcomes) = oneshot::channel();
        self.queue.try_send(Job { rows, reply, queued: Instant::now() }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => WriteError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => WriteError::Stopped,
        })?;
        outcomes.await.map_err(|_| WriteError::Stopped)
    }
}

impl<W: BatchWriter> Debug for WriteCoalescer<W> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteCoalescer").field("room", &self.queue.capacity()).finish()
    }
}

impl<W: BatchWriter> Clone for WriteCoalescer<W> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}
