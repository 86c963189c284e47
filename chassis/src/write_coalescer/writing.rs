//! The writer's task: takes the queued rows, writes them together, and answers each caller.

use std::time::Duration;

use tokio::{sync::mpsc, time::Instant};

use super::{BatchWriter, Job, RowOutcome};
use crate::{health::Heartbeat, metrics::WriterMeter, traces::Span};

/// A batch of this many rows is closed; more rows would only delay the first caller.
const MAX_BATCH: usize = 64;
/// A batch that failed within this time may have met a closed connection, and succeeds on the next one. A batch that
/// failed later is not written again: the callers behind it would wait twice.
const RETRY_WITHIN: Duration = Duration::from_secs(2);
/// Time for writing the rows of a failed batch one by one, each of which may wait for a lock. Below a caller's timeout.
const ONE_BY_ONE_TIMEOUT: Duration = Duration::from_secs(7);
/// A job that waited longer is refused without a write. Its answer could come too late, and the jobs behind it would
/// wait for a write whose caller has gone.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(4);

pub(super) async fn run<W: BatchWriter>(
    writer: W,
    mut jobs: mpsc::Receiver<Job<W>>,
    heartbeat: Heartbeat,
    meter: WriterMeter,
) {
    while let Some(first) = jobs.recv().await {
        heartbeat.beat();
        let (mut rows, mut callers, mut spans) = (Vec::with_capacity(MAX_BATCH), Vec::new(), Vec::new());
        let mut next = Some(first);
        while let Some(job) = next {
            drop(job.queued);
            if job.queued_at.elapsed() > QUEUE_TIMEOUT {
                drop(job.reply.send(job.rows.iter().map(|_| RowOutcome::Late).collect()));
            } else {
                callers.push((job.rows.len(), job.reply));
                spans.push(job.span);
                rows.extend(job.rows);
            }
            next = if rows.len() < MAX_BATCH { jobs.try_recv().ok() } else { None };
        }
        if rows.is_empty() {
            heartbeat.rest();
            continue;
        }
        let (count, began) = (rows.len(), Instant::now());
        let span = Span::writing(meter.name, &spans);
        let outcomes = write(&writer, rows).await;
        meter.written(count, began.elapsed());
        end_span(&span, &outcomes);
        let mut outcomes = outcomes.into_iter();
        for (count, reply) in callers {
            // Fails when the caller has gone, which needs no answer.
            drop(reply.send(outcomes.by_ref().take(count).collect()));
        }
        heartbeat.rest();
    }
}

/// Faults are told in the log alone: the text of a database may hold values.
fn end_span<W: BatchWriter>(span: &Span, outcomes: &[RowOutcome<W>]) {
    if span.is_sampled() {
        span.set("db.operation.batch.size", i64::try_from(outcomes.len()).unwrap_or(i64::MAX));
        if outcomes.iter().any(|outcome| outcome.fault().is_some()) {
            span.fail("not all rows were written");
        }
        span.end();
    }
}

/// Returns the outcome of each row, in their order.
async fn write<W: BatchWriter>(writer: &W, rows: Vec<W::Row>) -> Vec<RowOutcome<W>> {
    let began = Instant::now();
    let fault = match writer.write(&rows).await {
        Ok(answers) => return outcomes(rows, answers),
        Err(fault) => fault,
    };
    let outcomes = if rows.len() > 1 && (W::is_about_rows(&fault) || began.elapsed() < RETRY_WITHIN) {
        tracing::debug!(rows = rows.len(), error = %fault, "a batch failed; writing its rows one by one");
        one_by_one(writer, rows, began + ONE_BY_ONE_TIMEOUT).await
    } else {
        rows.iter().map(|_| RowOutcome::Failed(fault.clone())).collect()
    };
    let mut failed = outcomes.iter().filter_map(RowOutcome::fault).peekable();
    // Not needed if every row has an answer by now: the repeated write of a committed row returns its first answer.
    if failed.peek().is_some() && failed.chain([&fault]).any(W::may_have_written) {
        writer.lost_answers();
    }
    outcomes
}

fn outcomes<W: BatchWriter>(rows: Vec<W::Row>, answers: Vec<Option<W::Answer>>) -> Vec<RowOutcome<W>> {
    debug_assert_eq!(answers.len(), rows.len(), "one answer per row");
    let outcomes = rows.into_iter().zip(answers);
    outcomes.map(|(row, answer)| answer.map_or(RowOutcome::Locked(row), RowOutcome::Answered)).collect()
}

/// One bad row must not fail its neighbours. Two consecutive failures that are not about rows are the database's, and
/// writing stops at the `deadline`: the remaining rows fail at once rather than after a timeout each.
async fn one_by_one<W: BatchWriter>(writer: &W, rows: Vec<W::Row>, deadline: Instant) -> Vec<RowOutcome<W>> {
    let mut written: Vec<RowOutcome<W>> = Vec::with_capacity(rows.len());
    let mut failures = 0;
    let mut rows = rows.into_iter();
    for row in rows.by_ref() {
        let outcome = match writer.write(std::slice::from_ref(&row)).await {
            Ok(mut answers) => answers.remove(0).map_or(RowOutcome::Locked(row), RowOutcome::Answered),
            Err(fault) => RowOutcome::Failed(fault),
        };
        failures = match &outcome {
            RowOutcome::Failed(fault) if !W::is_about_rows(fault) => failures + 1,
            _ => 0,
        };
        let is_failed = matches!(outcome, RowOutcome::Failed(_));
        written.push(outcome);
        if failures == 2 || is_failed && Instant::now() >= deadline {
            break;
        }
    }
    if let Some(RowOutcome::Failed(fault)) = written.last() {
        let fault = W::Fault::clone(fault);
        written.extend(rows.map(|_| RowOutcome::Failed(fault.clone())));
    }
    written
}
