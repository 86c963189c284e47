//! Life cycle of a process. Its signals are tested with real processes in all-in-one.

use std::future::pending;

use anyhow::bail;
use chassis::Lifecycle;

fn lifecycle() -> Lifecycle {
    Lifecycle::new().expect("signals can be handled")
}

#[tokio::test]
async fn a_task_that_ends_by_itself_ends_all_with_an_error() {
    let mut lifecycle = lifecycle();
    let shutdown = lifecycle.shutdown();
    lifecycle.spawn("short", async { Ok(()) });
    lifecycle.spawn("long", async move {
        shutdown.cancelled().await;
        Ok(())
    });
    let error = lifecycle.run().await.expect_err("it ended early");
    assert_eq!(error.to_string(), "short ended by itself");
}

#[tokio::test]
async fn a_task_that_fails_is_named() {
    let mut lifecycle = lifecycle();
    lifecycle.spawn("relay", async { bail!("no database") });
    let error = lifecycle.run().await.expect_err("it failed");
    assert_eq!(format!("{error:#}"), "relay failed: no database");
}

#[tokio::test]
async fn a_task_that_panics_ends_all_with_an_error() {
    let mut lifecycle = lifecycle();
    lifecycle.spawn("relay", async { panic!("a bug") });
    let error = lifecycle.run().await.expect_err("it panicked");
    assert!(error.to_string().contains("panicked"), "{error}");
}

#[tokio::test]
async fn tasks_that_end_after_shutdown_are_a_good_end() {
    let mut lifecycle = lifecycle();
    let shutdown = lifecycle.shutdown();
    lifecycle.spawn("demo", async move {
        shutdown.cancel();
        Ok(())
    });
    lifecycle.run().await.expect("a good end");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_end_is_left_after_ten_seconds() {
    let mut lifecycle = lifecycle();
    lifecycle.spawn("stuck", pending());
    lifecycle.shutdown().cancel();
    let start = tokio::time::Instant::now();
    let error = lifecycle.run().await.expect_err("it is stuck");
    assert_eq!((error.to_string().as_str(), start.elapsed().as_secs()), ("not drained after 10 s", 10));
}
