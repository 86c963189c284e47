//! Rows locked by another transaction, and callers of a writer that hangs.

use std::time::Duration;

use chassis::write_coalescer::WriteError;
use futures_util::future::join_all;

use super::{queue, recorder::Recorder, writing_row_1};

#[tokio::test(start_paused = true)]
async fn a_locked_row_is_written_later_and_delays_no_other() {
    let recorder = Recorder::locked([3, 3]);
    let (coalescer, _task) = writing_row_1(&recorder).await;
    let waiting = queue(&coalescer, 2..=4);
    recorder.go_on();
    let answers: Vec<_> = join_all(waiting).await.into_iter().map(Result::ok).collect();
    assert_eq!(answers, [Some(20), Some(30), Some(40)]);
    assert_eq!(recorder.batches(), [vec![1], vec![2, 3, 4], vec![3], vec![3]], "the others are written once");
}

#[tokio::test(start_paused = true)]
async fn a_row_that_stays_locked_is_given_up_after_2_s() {
    let recorder = Recorder::locked(vec![2; 1_000]);
    let (coalescer, _task) = writing_row_1(&recorder).await;
    recorder.go_on();
    let began = tokio::time::Instant::now();
    assert!(matches!(coalescer.write(2).await, Err(WriteError::Locked)));
    assert!((2_000..2_200).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    assert_eq!(coalescer.write(3).await.ok(), Some(30));
}

#[tokio::test(start_paused = true)]
async fn locked_rows_of_a_list_are_written_later_and_all_are_answered_in_their_order() {
    let recorder = Recorder::locked([2, 4]);
    let (coalescer, _task) = writing_row_1(&recorder).await;
    recorder.go_on();
    let answers = coalescer.write_all((2..=5).collect()).await.expect("queued");
    let answers: Vec<_> = answers.into_iter().map(Result::ok).collect();
    assert_eq!(answers, [Some(20), Some(30), Some(40), Some(50)]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_whose_writer_hangs_is_answered_after_9_s() {
    let recorder = Recorder::default();
    let (coalescer, _task) = writing_row_1(&recorder).await;
    let began = tokio::time::Instant::now();
    assert!(matches!(coalescer.write(2).await, Err(WriteError::TimedOut)));
    assert_eq!(began.elapsed().as_secs(), 9);
    assert!(matches!(coalescer.write_all(vec![3, 4]).await, Err(WriteError::TimedOut)));
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_failed_after_a_long_time_is_not_written_row_by_row() {
    let recorder = Recorder::failing(|rows| rows.len() > 1);
    let (coalescer, _task) = writing_row_1(&recorder).await;
    let waiting = queue(&coalescer, 2..=4);
    let (answers, ()) = futures_util::join!(join_all(waiting), async {
        recorder.end_one();
        recorder.has_begun().await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        recorder.go_on();
    });
    assert!(answers.iter().all(|answer| matches!(answer, Err(WriteError::Failed(_)))), "{answers:?}");
    assert_eq!(recorder.batches(), [vec![1], vec![2, 3, 4]]);
}
