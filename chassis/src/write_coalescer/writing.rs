//! The writer's task: takes what is queued, writes it together, and answers each caller.

use std::time::Duration;

use tokio::{sync::mpsc, time::Instant};

use super::{BatchWriter, Job, Outcome};
use crate::health::Heartbeat;

/// No caller joins a batch of this many rows; more would only make the first caller wait for the last.
const MAX_BATCH: usize = 64;
/// A batch that failed this soon may have met a connection that was closed, and succeeds on the next. One that the
/// database kept waiting for longer is not written again: who waits behind it would wait twice.
const RETRY_WITHIN: Duration = Duration::from_secs(2);
/// How long rows of a failed batch are written one by one, each of which may wait for a lock: less than a caller waits.
const ONE_BY_ONE_FOR: Duration = Duration::from_secs(7);
/// Who has waited longer is refused at once: with one write more the answer could be too late, and those behind would
/// wait for a write that nobody waits for.
const LATE: Duration = Duration::from_secs(4);

pub(super) async fn run<W: BatchWriter>(writer: W, mut jobs: mpsc::Receiver<Job<W>>, heartbeat: Heartbeat) {
    while let Some(first) = jobs.recv().await {
        heartbeat.beat();
        let (mut rows, mut callers) = (Vec::with_capacity(MAX_BATCH), Vec::new());
        let mut next = Some(first);
        while let Some(job) = next {
            if job.queued.elapsed() > LATE {
                drop(job.reply.send(job.rows.iter().map(|_| Outcome::Late).collect()));
            } else {
                callers.push((job.rows.len(), job.reply));
                rows.extend(job.rows);
            }
            next = if rows.len() < MAX_BATCH { jobs.try_recv().ok() } else { None };
        }
        if rows.is_empty() {
            heartbeat.rest();
            continue;
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
            one_by_one(writer, rows, began + ONE_BY_ONE_FOR).await
        }
        Err(fault) => rows.iter().map(|_| Outcome::Failed(fault.clone())).collect(),
    }
}

fn outcomes<W: BatchWriter>(rows: Vec<W::Row>, answers: Vec<Option<W::Answer>>) -> Vec<Outcome<W>> {
    debug_assert_eq!(answers.len(), rows.len(), "one answer per row");
    let outcomes = rows.into_iter().zip(answers);
    outcomes.map(|(row, answer)| answer.map_or(Outcome::Locked(row), Outcome::Answered)).collect()
}

/// One bad row must not fail its neighbours. Two failures in a row that are not about rows are the database's, and
/// writing ends at the `deadline`: the rest is answered at once rather than after a time-out each.
async fn one_by_one<W: BatchWriter>(writer: &W, rows: Vec<W::Row>, deadline: Instant) -> Vec<Outcome<W>> {
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
        let is_failed = matches!(outcome, Outcome::Failed(_));
        written.push(outcome);
        if failures == 2 || is_failed && Instant::now() >= deadline {
            break;
        }
    }
    if let Some(Outcome::Failed(fault)) = written.last() {
        let fault = W::Fault::clone(fault);
        written.extend(rows.map(|_| Outcome::Failed(fault.clone())));
    }
    written
}
