//! Group commit: callers hand over a row or a few, one task writes whatever is waiting in one go.
//!
//! It never waits for company. A lone row is written at once; under load the rows that arrive during
//! one commit share the next. An answer is sent after the commit, so durability is that of one commit
//! per row. A caller that goes away changes nothing: the database calls run in the writer's own task.

use std::{
    fmt::{self, Debug, Display, Formatter},
    future::Future,
};

use tokio::sync::{mpsc, oneshot};

/// No caller joins a batch of this many rows; more would only make the first caller wait for the last.
const MAX_BATCH: usize = 64;
/// At most this many callers wait; beyond, callers are refused at once and may try again.
const MAX_QUEUED: usize = 1024;

/// How rows are written. Implementations write in an order of their own that is the same in every
/// process (by key), so that the batches of two replicas cannot deadlock.
pub trait BatchWriter: Send + Sync + 'static {
    /// What a caller hands over.
    type Row: Clone + Send + Sync + 'static;
    /// What a caller gets back: done, or refused by a rule.
    type Answer: Send + 'static;
    /// The whole batch failed and changed nothing, or nothing is known of it.
    type Fault: Display + Clone + Send + 'static;

    /// Writes all rows in one transaction and answers each, in the order of `rows`. A row may be one
    /// of which an earlier attempt was committed without an answer: it must be answered as then.
    fn write(&self, rows: &[Self::Row]) -> impl Future<Output = Result<Vec<Self::Answer>, Self::Fault>> + Send;
}

/// Why a row has no answer.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<F> {
    /// Too many rows are waiting; nothing was written; try again.
    #[error("too many writes are waiting")]
    Overloaded,
    /// The service is shutting down.
    #[error("the writer has stopped")]
    Stopped,
    /// The database failed.
    #[error("{0}")]
    Failed(F),
}

/// What became of one row.
type Outcome<W> = Result<<W as BatchWriter>::Answer, <W as BatchWriter>::Fault>;

/// The rows of one caller, which stay together.
struct Job<W: BatchWriter> {
    rows: Vec<W::Row>,
    reply: oneshot::Sender<Vec<Outcome<W>>>,
}

/// The callers' end.
pub struct WriteCoalescer<W: BatchWriter> {
    queue: mpsc::Sender<Job<W>>,
}

impl<W: BatchWriter> WriteCoalescer<W> {
    /// The callers' end and the writer's task, which ends when the last caller's end is dropped and
    /// everything queued has been written.
    pub fn new(writer: W) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (queue, jobs) = mpsc::channel(MAX_QUEUED);
        (Self { queue }, run(writer, jobs))
    }

    /// Queues a row and waits for its own answer.
    ///
    /// # Errors
    /// See [`WriteError`]. After [`WriteError::Failed`] it is unknown whether the row was written.
    pub async fn write(&self, row: W::Row) -> Result<W::Answer, WriteError<W::Fault>> {
        let mut outcomes = self.write_all(vec![row]).await?;
        outcomes.pop().unwrap_or(Err(WriteError::Stopped))
    }

    /// Queues rows that are written together, and waits for the answer to each, in their order.
    ///
    /// # Errors
    /// When none was queued; each row's own are within the answer.
    pub async fn write_all(
        &self,
        rows: Vec<W::Row>,
    ) -> Result<Vec<Result<W::Answer, WriteError<W::Fault>>>, WriteError<W::Fault>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let (reply, outcomes) = oneshot::channel();
        self.queue.try_send(Job { rows, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => WriteError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => WriteError::Stopped,
        })?;
        let outcomes = outcomes.await.map_err(|_| WriteError::Stopped)?;
        Ok(outcomes.into_iter().map(|outcome| outcome.map_err(WriteError::Failed)).collect())
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

async fn run<W: BatchWriter>(writer: W, mut jobs: mpsc::Receiver<Job<W>>) {
    while let Some(first) = jobs.recv().await {
        let (mut rows, mut callers) = (Vec::with_capacity(MAX_BATCH), Vec::new());
        let mut next = Some(first);
        while let Some(job) = next {
            callers.push((job.rows.len(), job.reply));
            rows.extend(job.rows);
            next = if rows.len() < MAX_BATCH { jobs.try_recv().ok() } else { None };
        }
        let mut outcomes = write(&writer, rows).await.into_iter();
        for (count, reply) in callers {
            // A caller that has gone away does not need its answer.
            drop(reply.send(outcomes.by_ref().take(count).collect()));
        }
    }
}

/// The outcome of each row, in their order.
async fn write<W: BatchWriter>(writer: &W, rows: Vec<W::Row>) -> Vec<Outcome<W>> {
    match writer.write(&rows).await {
        Ok(answers) => {
            debug_assert_eq!(answers.len(), rows.len(), "one answer per row");
            answers.into_iter().map(Ok).collect()
        }
        Err(fault) if rows.len() > 1 => {
            tracing::warn!(rows = rows.len(), error = %fault, "a batch failed; writing its rows one by one");
            one_by_one(writer, rows).await
        }
        Err(fault) => vec![Err(fault)],
    }
}

/// One bad row must not fail its neighbours. Two failures in a row are not the rows' fault: the rest
/// is answered at once rather than after a time-out each.
async fn one_by_one<W: BatchWriter>(writer: &W, rows: Vec<W::Row>) -> Vec<Outcome<W>> {
    let mut outcomes: Vec<Outcome<W>> = Vec::with_capacity(rows.len());
    for row in rows {
        let outcome = match outcomes.as_slice() {
            [.., Err(_), Err(fault)] => Err(W::Fault::clone(fault)),
            _ => writer.write(&[row]).await.map(|mut answers| answers.remove(0)),
        };
        outcomes.push(outcome);
    }
    outcomes
}
