//! Group commit: callers hand over a row or a few, one task writes whatever is waiting in one go.
//!
//! It never waits for company. A lone row is written at once; under load the rows that arrive during
//! one commit share the next. An answer is sent after the commit, so durability is that of one commit
//! per row. A caller that goes away changes nothing: the database calls run in the writer's own task.
//! A row that somebody else has locked delays its own caller only, who hands it over again.

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

/// No caller joins a batch of this many rows; more would only make the first caller wait for the last.
const MAX_BATCH: usize = 64;
/// At most this many callers wait; beyond, callers are refused at once and may try again.
const MAX_QUEUED: usize = 1024;
/// The longest wait of a caller. A client is to be answered within 10 s, whatever the database does.
const CALLER_TIMEOUT: Duration = Duration::from_secs(9);
/// How long a locked row is tried again, and how often: as long as PostgreSQL's `lock_timeout` would wait.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);
const LOCK_PAUSE: Duration = Duration::from_millis(50);
/// A batch that failed this soon may have met a connection that was closed, and succeeds on the next. One that the
/// database kept waiting for longer is not written again: who waits behind it would wait twice.
const RETRY_WITHIN: Duration = Duration::from_secs(2);

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
    /// Not written: the row comes back.
    Locked(W::Row),
    Failed(W::Fault),
}

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
        self.queue.try_send(Job { rows, reply }).map_err(|error| match error {
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

async fn run<W: BatchWriter>(writer: W, mut jobs: mpsc::Receiver<Job<W>>, heartbeat: Heartbeat) {
    while let Some(first) = jobs.recv().await {
        heartbeat.beat();
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
        heartbeat.rest();
    }
}

/// The outcome of each row, in their order.
async fn write<W: BatchWriter>(writer: &W, rows: Vec<W::Row>) -> Vec<Outcome<W>> {
    let began = Instant::now();
    match writer.write(&rows).await {
        Ok(answers) => outcomes(rows, answers),
        Err(fault) if rows.len() > 1 && (W::is_about_rows(&fault) || began.elapsed() < RETRY_WITHIN) => {
            tracing::warn!(rows = rows.len(), error = %fault, "a batch failed; writing its rows one by one");
            one_by_one(writer, rows).await
        }
        Err(fault) => rows.iter().map(|_| Outcome::Failed(fault.clone())).collect(),
    }
}

fn outcomes<W: BatchWriter>(rows: Vec<W::Row>, answers: Vec<Option<W::Answer>>) -> Vec<Outcome<W>> {
    debug_assert_eq!(answers.len(), rows.len(), "one answer per row");
    let outcomes = rows.into_iter().zip(answers);
    outcomes.map(|(row, answer)| answer.map_or(Outcome::Locked(row), Outcome::Answered)).collect()
}

/// One bad row must not fail its neighbours. Two failures in a row that are not about rows are the database's: the rest
/// is answered at once rather than after a time-out each.
async fn one_by_one<W: BatchWriter>(writer: &W, rows: Vec<W::Row>) -> Vec<Outcome<W>> {
    let mut written: Vec<Outcome<W>> = Vec::with_capacity(rows.len());
    let mut failures = 0;
    let mut rows = rows.into_iter();
    for row in rows.by_ref() {
        let outcome = match writer.write(std::slice::from_ref(&row)).await {
            Ok(mut answers) => answers.remove(0).map_or(Outcome::Locked(row), Outcome::Answered),
            Err(fault) => Outcome::Failed(fault),
        };
        failures = match &outcome {
            Outcome::Failed(fault) if !W::is_about_rows(fault) => failures + 1,
            _ => 0,
        };
        written.push(outcome);
        if failures == 2 {
            break;
        }
    }
    if let Some(Outcome::Failed(fault)) = written.last() {
        let fault = W::Fault::clone(fault);
        written.extend(rows.map(|_| Outcome::Failed(fault.clone())));
    }
    written
}
