//! Group commit, with a writer that records its batches and waits for the test.

mod failures;
mod locks;
mod overload;
mod recorder;

use std::future::Future;

use chassis::{
    health::Heartbeat,
    metrics::{Metrics, WriterMeter},
    write_coalescer::{WriteCoalescer, WriteError},
};
use futures_util::{FutureExt, future::join_all};
use recorder::Recorder;

type Waiting<'a> = Vec<std::pin::Pin<Box<dyn Future<Output = Result<u32, WriteError<String>>> + 'a>>>;

/// Queues the rows and returns the pending answers.
fn queue(coalescer: &WriteCoalescer<Recorder>, rows: impl IntoIterator<Item = u32>) -> Waiting<'_> {
    let mut waiting: Waiting = rows.into_iter().map(|row| coalescer.write(row).boxed_local()).collect();
    assert!(waiting.iter_mut().all(|write| write.now_or_never().is_none()), "queued, not answered");
    waiting
}

/// A writer that has started to write row 1 and waits.
async fn writing_row_1(recorder: &Recorder) -> (WriteCoalescer<Recorder>, tokio::task::JoinHandle<()>) {
    let (coalescer, task) = WriteCoalescer::new(recorder.clone(), Heartbeat::new("writer"), WriterMeter::default());
    let task = tokio::spawn(task);
    // A caller that ignores its answer.
    drop(queue(&coalescer, [1]));
    recorder.has_begun().await;
    (coalescer, task)
}

#[tokio::test]
async fn a_lone_row_is_written_at_once_and_alone() {
    let recorder = Recorder::default();
    recorder.go_on();
    let (coalescer, task) = WriteCoalescer::new(recorder.clone(), Heartbeat::new("writer"), WriterMeter::default());
    tokio::spawn(task);
    for row in 1..=3 {
        assert_eq!(coalescer.write(row).await.ok(), Some(row * 10), "its own answer");
    }
    assert_eq!(recorder.batches(), [[1], [2], [3]]);
}

#[tokio::test]
async fn rows_that_arrive_during_a_write_share_the_next() {
    let recorder = Recorder::default();
    let (coalescer, _task) = writing_row_1(&recorder).await;
    let waiting = queue(&coalescer, 2..=4);
    recorder.go_on();
    let answers: Vec<_> = join_all(waiting).await.into_iter().map(Result::ok).collect();
    assert_eq!(answers, [Some(20), Some(30), Some(40)]);
    assert_eq!(recorder.batches(), [vec![1], vec![2, 3, 4]]);
}

#[tokio::test]
async fn at_most_64_rows_share_a_write() {
    let recorder = Recorder::default();
    let (coalescer, _task) = writing_row_1(&recorder).await;
    let waiting = queue(&coalescer, 2..=101);
    recorder.go_on();
    assert!(join_all(waiting).await.iter().all(Result::is_ok));
    assert_eq!(recorder.batches().iter().map(Vec::len).collect::<Vec<_>>(), [1, 64, 36]);
}

#[tokio::test]
async fn beyond_1024_waiting_rows_callers_are_refused_at_once() {
    let recorder = Recorder::default();
    let (coalescer, _task) = writing_row_1(&recorder).await;
    let waiting = queue(&coalescer, 2..=1025);
    assert!(matches!(coalescer.write(1026).now_or_never(), Some(Err(WriteError::Overloaded))));
    recorder.go_on();
    assert!(join_all(waiting).await.iter().all(Result::is_ok), "those that waited are served");
    assert_eq!(coalescer.write(1027).await.ok(), Some(10270), "and then there is room again");
    assert!(!recorder.batches().concat().contains(&1026));
}

#[tokio::test]
async fn a_caller_that_goes_away_changes_nothing() {
    let recorder = Recorder::default();
    let (coalescer, _task) = writing_row_1(&recorder).await;
    let mut waiting = queue(&coalescer, 2..=4);
    drop(waiting.remove(1));
    recorder.go_on();
    let answers: Vec<_> = join_all(waiting).await.into_iter().map(Result::ok).collect();
    assert_eq!(answers, [Some(20), Some(40)]);
    assert_eq!(recorder.batches(), [vec![1], vec![2, 3, 4]], "its row is written all the same");
}

#[tokio::test]
async fn the_writer_ends_after_the_last_caller_and_the_last_row() {
    let recorder = Recorder::default();
    let (coalescer, task) = writing_row_1(&recorder).await;
    let clone = coalescer.clone();
    drop(queue(&coalescer, 2..=70));
    drop(coalescer);
    drop(queue(&clone, [71]));
    drop(clone);
    recorder.go_on();
    task.await.expect("it ends");
    assert_eq!(recorder.batches().concat(), (1..=71).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_caller_is_told_when_the_writer_has_stopped() {
    let (coalescer, task) = WriteCoalescer::new(Recorder::default(), Heartbeat::new("writer"), WriterMeter::default());
    let waiting = queue(&coalescer, [1]);
    drop(task);
    assert!(matches!(join_all(waiting).await[..], [Err(WriteError::Stopped)]), "one that waited");
    assert!(matches!(coalescer.write(2).await, Err(WriteError::Stopped)), "one that came too late");
}

#[tokio::test]
async fn a_list_is_written_together_and_answered_in_its_order() {
    let recorder = Recorder::default();
    let (coalescer, _task) = writing_row_1(&recorder).await;
    let list = coalescer.write_all((2..=101).collect());
    let (alone, list) = futures_util::join!(coalescer.write(200), async {
        tokio::task::yield_now().await;
        recorder.go_on();
        list.await
    });
    assert_eq!(alone.ok(), Some(2000));
    let answers: Vec<_> = list.expect("queued").into_iter().map(Result::ok).collect();
    assert_eq!(answers, (2..=101).map(|row| Some(row * 10)).collect::<Vec<_>>());
    assert!(recorder.batches().iter().any(|batch| batch.ends_with(&(2..=101).collect::<Vec<_>>())));
}

#[tokio::test]
async fn an_empty_list_is_answered_without_a_write() {
    let recorder = Recorder::default();
    let (coalescer, task) = WriteCoalescer::new(recorder.clone(), Heartbeat::new("writer"), WriterMeter::default());
    recorder.go_on();
    assert!(coalescer.write_all(Vec::new()).await.is_ok_and(|answers| answers.is_empty()));
    drop(coalescer);
    task.await;
    assert!(recorder.batches().is_empty());
}

#[tokio::test]
async fn callers_are_in_the_measured_queue_until_their_rows_are_taken() {
    let (metrics, recorder) = (Metrics::new("service"), Recorder::default());
    let (coalescer, task) = WriteCoalescer::new(recorder.clone(), Heartbeat::new("writer"), metrics.writer("row"));
    let queued = |number| metrics.text().contains(&format!("write_queue_jobs{{writer=\"row\"}} {number}\n"));
    tokio::spawn(task);
    drop(queue(&coalescer, [1]));
    recorder.has_begun().await;
    let waiting = queue(&coalescer, 2..=1025);
    assert!(queued(1024), "{}", metrics.text());
    assert!(coalescer.write(1026).await.is_err(), "refused, and not in the queue");
    assert!(queued(1024), "{}", metrics.text());
    recorder.go_on();
    assert!(join_all(waiting).await.iter().all(Result::is_ok));
    assert!(queued(0), "{}", metrics.text());
}
