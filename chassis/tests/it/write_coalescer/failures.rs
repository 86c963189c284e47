//! Failed batches, and the results of their rows.

use std::time::Duration;

use chassis::{
    health::Heartbeat,
    metrics::WriterMeter,
    write_coalescer::{BatchWriter, WriteCoalescer, WriteError},
};
use futures_util::future::join_all;

use super::{queue, recorder::Recorder, writing_row_1};

#[tokio::test]
async fn a_bad_row_fails_alone() {
    let recorder = Recorder::failing(|rows| rows.contains(&3));
    let (coalescer, _task) = writing_row_1(&recorder).await;
    let waiting = queue(&coalescer, 2..=4);
    recorder.go_on();
    let answers = join_all(waiting).await;
    assert!(matches!(&answers[..], [Ok(20), Err(WriteError::Failed(_)), Ok(40)]), "{answers:?}");
    assert_eq!(recorder.batches(), [vec![1], vec![2, 3, 4], vec![2], vec![3], vec![4]]);
}

#[tokio::test]
async fn a_lone_bad_row_is_not_tried_twice() {
    let recorder = Recorder::failing(|rows| rows.contains(&2));
    let (coalescer, _task) = writing_row_1(&recorder).await;
    recorder.go_on();
    assert!(matches!(coalescer.write(2).await, Err(WriteError::Failed(_))));
    assert_eq!(coalescer.write(3).await.ok(), Some(30));
    assert_eq!(recorder.batches(), [[1], [2], [3]]);
}

#[tokio::test]
async fn after_two_failures_in_a_row_the_rest_is_answered_without_being_written() {
    let recorder = Recorder::failing(|rows| rows.len() > 1 || rows[0] >= 3);
    let (coalescer, _task) = writing_row_1(&recorder).await;
    let waiting = queue(&coalescer, 2..=6);
    recorder.go_on();
    let answers = join_all(waiting).await;
    assert!(matches!(answers[0], Ok(20)) && answers[1..].iter().all(|a| matches!(a, Err(WriteError::Failed(_)))));
    assert_eq!(recorder.batches(), [vec![1], vec![2, 3, 4, 5, 6], vec![2], vec![3], vec![4]]);
}

#[tokio::test]
async fn failures_that_are_not_in_a_row_stop_nothing() {
    let recorder = Recorder::failing(|rows| rows.len() > 1 || rows[0].is_multiple_of(2));
    let (coalescer, _task) = writing_row_1(&recorder).await;
    let waiting = queue(&coalescer, 2..=7);
    recorder.go_on();
    let written: Vec<_> = join_all(waiting).await.into_iter().filter_map(Result::ok).collect();
    assert_eq!(written, [30, 50, 70]);
}

#[tokio::test]
async fn failures_that_are_about_rows_stop_nothing() {
    let recorder = Recorder::failing(|rows| rows.iter().any(|row| [13, 113, 1_300].contains(row)));
    let (coalescer, _task) = writing_row_1(&recorder).await;
    let waiting = queue(&coalescer, [13, 113, 1_300, 5]);
    recorder.go_on();
    let answers: Vec<_> = join_all(waiting).await.into_iter().map(Result::ok).collect();
    assert_eq!(answers, [None, None, None, Some(50)], "three bad rows in a row, and a good one");
}

#[tokio::test]
async fn a_writer_learns_that_callers_were_told_of_a_failure_although_their_rows_may_be_written() {
    // A fault of row 13 is about that row, so it is not written.
    let recorder = Recorder::failing(|rows| rows.len() > 1 || rows[0] >= 5);
    let (coalescer, _task) = writing_row_1(&recorder).await;
    let waiting = queue(&coalescer, 2..=3);
    recorder.go_on();
    assert!(join_all(waiting).await.iter().all(Result::is_ok), "the batch failed, its rows did not");
    coalescer.write(13).await.expect_err("bad");
    assert_eq!(recorder.lost_answers(), 0);
    coalescer.write(5).await.expect_err("who knows");
    assert_eq!(recorder.lost_answers(), 1);
}

/// Each write of its rows takes as long as a wait for a lock, and fails.
struct Locked;

impl BatchWriter for Locked {
    type Row = u32;
    type Answer = u32;
    type Fault = String;

    async fn write(&self, _: &[u32]) -> Result<Vec<Option<u32>>, String> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        Err("a lock".to_owned())
    }

    fn is_about_rows(_: &String) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn rows_that_each_wait_for_a_lock_do_not_keep_the_writer_for_long() {
    let (coalescer, task) = WriteCoalescer::new(Locked, Heartbeat::new("writer"), WriterMeter::default());
    let (answers, ()) = futures_util::join!(coalescer.write_all((0..64).collect()), async {
        tokio::spawn(task);
    });
    let answers = answers.expect("before the callers lose patience");
    assert!(answers.iter().all(|answer| matches!(answer, Err(WriteError::Failed(_)))));
}
