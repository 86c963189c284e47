//! Group commit: callers hand over one row each, one task writes whatever is waiting in one go.
//!
//! It never waits for company. A lone row is written at once; under load the rows that arrive during
//! one commit share the next. An answer is sent after the commit, so durability is that of one commit
//! per row. A caller that goes away changes nothing: the database calls run in the writer's own task.

use std::{fmt::Display, future::Future};

use tokio::sync::{mpsc, oneshot};

/// At most this many rows share a commit; more would only make the first caller wait for the last.
const MAX_BATCH: usize = 64;
/// At most this many rows wait; beyond, callers are refused at once and may try again.
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

type Reply<W> = oneshot::Sender<Result<<W as BatchWriter>::Answer, <W as BatchWriter>::Fault>>;

/// The callers' end.
#[derive(Debug)]
pub struct WriteCoalescer<W: BatchWriter> {
    queue: mpsc::Sender<(W::Row, Reply<W>)>,
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
        let (reply, answer) = oneshot::channel();
        self.queue.try_send((row, reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => WriteError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => WriteError::Stopped,
        })?;
        answer.await.map_err(|_| WriteError::Stopped)?.map_err(WriteError::Failed)
    }
}

impl<W: BatchWriter> Clone for WriteCoalescer<W> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

async fn run<W: BatchWriter>(writer: W, mut jobs: mpsc::Receiver<(W::Row, Reply<W>)>) {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    while jobs.recv_many(&mut batch, MAX_BATCH).await > 0 {
        let (rows, replies): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        match writer.write(&rows).await {
            Ok(answers) => {
                debug_assert_eq!(answers.len(), rows.len(), "one answer per row");
                for (reply, answer) in replies.into_iter().zip(answers) {
                    // A caller that has gone away does not need its answer.
                    drop(reply.send(Ok(answer)));
                }
            }
            Err(fault) if rows.len() > 1 => {
                tracing::warn!(rows = rows.len(), error = %fault, "a batch failed; writing its rows one by one");
                one_by_one(&writer, rows, replies).await;
            }
            Err(fault) => replies.into_iter().for_each(|reply| drop(reply.send(Err(fault.clone())))),
        }
    }
}

/// One bad row must not fail its neighbours. Two failures in a row are not the rows' fault: the rest
/// is answered at once rather than after a time-out each.
async fn one_by_one<W: BatchWriter>(writer: &W, rows: Vec<W::Row>, replies: Vec<Reply<W>>) {
    let mut failures_in_a_row = 0;
    let mut last_fault = None;
    for (row, reply) in rows.into_iter().zip(replies) {
        let answer = match &last_fault {
            Some(fault) if failures_in_a_row >= 2 => Err(W::Fault::clone(fault)),
            _ => writer.write(&[row]).await.map(|mut answers| answers.remove(0)),
        };
        match &answer {
            Ok(_) => failures_in_a_row = 0,
            Err(fault) => {
                failures_in_a_row += 1;
                last_fault = Some(fault.clone());
            }
        }
        drop(reply.send(answer));
    }
}
