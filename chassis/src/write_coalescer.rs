//! Group commit: callers queue rows, and one task writes all queued rows in one transaction.
//!
//! It never waits for more rows. A lone row is written at once; under load the rows that arrive during one commit share
//! the next. Answers are sent after the commit, so durability equals that of one commit per row. A caller that goes
//! away changes nothing: the database calls run in the writer's own task. A locked row delays its own caller only,
//! which queues it again.

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

use crate::{
    health::Heartbeat,
    metrics::{Queued, WriterMeter},
    traces::Span,
};
use writing::run;

/// Callers in the queue. Further ones are refused at once and may try again.
const MAX_QUEUED: usize = 1024;
/// Longest wait of a caller. A client has its answer within 10 s, whatever the database does.
const CALLER_TIMEOUT: Duration = Duration::from_secs(9);
/// Time for which a locked row is retried, as long as PostgreSQL's `lock_timeout` would wait, and the interval.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);
const LOCK_RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// Writes batches of rows. Implementations write in an order of their own that is the same in every process (by key),
/// so that the batches of two replicas cannot deadlock.
pub trait BatchWriter: Send + Sync + 'static {
    /// A caller's input.
    type Row: Clone + Send + Sync + 'static;
    /// A caller's result: done, or refused by a rule.
    type Answer: Send + 'static;
    /// Failure of the whole batch: nothing was changed, or the result is unknown.
    type Fault: Display + Clone + Send + 'static;

    /// Writes all rows in one transaction and returns the answer to each, in the order of `rows`. A row that another
    /// transaction has locked is not written, and its answer is `None`. An earlier attempt at a row may have been
    /// committed without its answer arriving: the row must get the same answer again.
    fn write(&self, rows: &[Self::Row]) -> impl Future<Output = Result<Vec<Option<Self::Answer>>, Self::Fault>> + Send;

    /// Whether the fault is about the rows that were written, so that other rows may succeed.
    fn is_about_rows(fault: &Self::Fault) -> bool;

    /// Whether the rows may have been committed nevertheless, with only the answer lost.
    fn may_have_written(fault: &Self::Fault) -> bool {
        !Self::is_about_rows(fault)
    }

    /// Called before callers receive failures of rows that may have been committed.
    fn lost_answers(&self) {}
}

/// Reason that a row has no answer.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<F> {
    /// Too many rows are waiting; nothing was written; try again.
    #[error("too many writes are waiting")]
    Overloaded,
    /// Another transaction has locked the row; nothing was written; try again.
    #[error("another transaction has locked the row")]
    Locked,
    /// The service is shutting down.
    #[error("the writer has stopped")]
    Stopped,
    /// No result in time; whether it was or will be written is unknown.
    #[error("not written within {} s", CALLER_TIMEOUT.as_secs())]
    TimedOut,
    /// The database failed.
    #[error("{0}")]
    Failed(F),
}

/// Result of one row.
enum RowOutcome<W: BatchWriter> {
    Answered(W::Answer),
    /// Not written: its answer would come too late.
    Late,
    /// Not written: the row is returned.
    Locked(W::Row),
    Failed(W::Fault),
}

impl<W: BatchWriter> RowOutcome<W> {
    fn fault(&self) -> Option<&W::Fault> {
        if let Self::Failed(fault) = self { Some(fault) } else { None }
    }
}

/// The rows of one caller, which stay together.
struct Job<W: BatchWriter> {
    rows: Vec<W::Row>,
    reply: oneshot::Sender<Vec<RowOutcome<W>>>,
    queued_at: Instant,
    queued: Queued,
    /// The span of the caller.
    span: Span,
}

/// The callers' handle.
pub struct WriteCoalescer<W: BatchWriter> {
    queue: mpsc::Sender<Job<W>>,
    meter: WriterMeter,
}

impl<W: BatchWriter> WriteCoalescer<W> {
    /// The callers' handle and the writer's task. The task ends when the last handle is dropped and everything queued
    /// has been written. `heartbeat` beats with each batch, which `meter` measures.
    pub fn new(
        writer: W,
        heartbeat: Heartbeat,
        meter: WriterMeter,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (queue, jobs) = mpsc::channel(MAX_QUEUED);
        heartbeat.rest();
        (Self { queue, meter: meter.clone() }, run(writer, jobs, heartbeat, meter))
    }

    /// Queues a row and waits for its own answer.
    ///
    /// # Errors
    /// See [`WriteError`]. After [`WriteError::Failed`] it is unknown whether the row was written.
    pub async fn write(&self, row: W::Row) -> Result<W::Answer, WriteError<W::Fault>> {
        let written = async { self.settle(self.submit_one(row).await?).await };
        timeout(CALLER_TIMEOUT, written).await.unwrap_or(Err(WriteError::TimedOut))
    }

    /// Queues rows of one batch and waits for the answer to each, in their order.
    ///
    /// # Errors
    /// When none was queued, or they had no answer in time. Errors of single rows are within the result.
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

    /// Queues a locked row again, until it is unlocked or its time is over.
    async fn settle(&self, mut outcome: RowOutcome<W>) -> Result<W::Answer, WriteError<W::Fault>> {
        let began = Instant::now();
        loop {
            outcome = match outcome {
                RowOutcome::Answered(answer) => return Ok(answer),
                RowOutcome::Failed(fault) => return Err(WriteError::Failed(fault)),
                RowOutcome::Late => return Err(WriteError::Overloaded),
                RowOutcome::Locked(_) if began.elapsed() > LOCK_TIMEOUT => return Err(WriteError::Locked),
                RowOutcome::Locked(row) => {
                    sleep(LOCK_RETRY_INTERVAL).await;
                    self.submit_one(row).await?
                }
            }
        }
    }

    async fn submit_one(&self, row: W::Row) -> Result<RowOutcome<W>, WriteError<W::Fault>> {
        self.submit(vec![row]).await?.pop().ok_or(WriteError::Stopped)
    }

    async fn submit(&self, rows: Vec<W::Row>) -> Result<Vec<RowOutcome<W>>, WriteError<W::Fault>> {
        let (reply, outcomes) = oneshot::channel();
        let job = Job { rows, reply, queued_at: Instant::now(), queued: self.meter.queued(), span: Span::current() };
        self.queue.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => WriteError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => WriteError::Stopped,
        })?;
        outcomes.await.map_err(|_| WriteError::Stopped)
    }
}

impl<W: BatchWriter> Debug for WriteCoalescer<W> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteCoalescer").field("room", &self.queue.capacity()).finish_non_exhaustive()
    }
}

impl<W: BatchWriter> Clone for WriteCoalescer<W> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), meter: self.meter.clone() }
    }
}
