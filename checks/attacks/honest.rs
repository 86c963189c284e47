//! The honest client, which must not notice an attack: ten requests a second, whether or not earlier ones are answered.

mod calls;

use std::{
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::ensure;
use tokio::{
    runtime,
    task::JoinSet,
    time::{interval, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{bounds::Bounds, stage::Stage};
use calls::Calls;

const CALL_INTERVAL: Duration = Duration::from_millis(100);
/// Requests before the measurement. They fill pools, caches and the allocator.
const WARM_UP: usize = 40;
/// This many answers in a row within the bound show that the service has recovered.
const NORMAL_ANSWERS: usize = 5;
const POLL_INTERVAL: Duration = Duration::from_millis(50);

#[derive(Clone, Debug)]
pub(crate) struct Honest {
    calls: Calls,
    answers: Arc<Mutex<Answers>>,
}

/// The answers that it got.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    times: Vec<Duration>,
    pub(crate) failures: Vec<String>,
}

/// A client that calls.
#[derive(Debug)]
pub(crate) struct Working {
    honest: Honest,
    stop: CancellationToken,
    thread: JoinHandle<()>,
}

impl Honest {
    pub(crate) fn new(stage: &Stage) -> anyhow::Result<Self> {
        Ok(Self { calls: Calls::to(stage)?, answers: Arc::default() })
    }

    pub(crate) async fn warm_up(&self) -> anyhow::Result<()> {
        for number in 0..WARM_UP {
            self.calls.make(number).await?;
        }
        Ok(())
    }

    /// Starts the calls, on a thread of its own: an attack that keeps this process busy must not delay it.
    pub(crate) fn work(&self) -> anyhow::Result<Working> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (honest, stop) = (self.clone(), CancellationToken::new());
        let (client, stopped) = (self.clone(), stop.clone());
        let thread = thread::spawn(move || runtime.block_on(client.call_until(stopped)));
        Ok(Working { honest, stop, thread })
    }

    /// Time until answers are as quick as before; `None` if that takes too long.
    pub(crate) async fn normal_again(&self, bounds: &Bounds) -> Option<Duration> {
        let (began, mut in_a_row) = (Instant::now(), 0);
        while began.elapsed() < bounds.normal_within {
            let asked = Instant::now();
            let is_normal = self.calls.make(in_a_row).await.is_ok() && asked.elapsed() <= bounds.p99;
            in_a_row = if is_normal { in_a_row + 1 } else { 0 };
            if in_a_row == NORMAL_ANSWERS {
                return Some(began.elapsed());
            }
            sleep(POLL_INTERVAL).await;
        }
        None
    }

    /// Calls ten times a second, and waits for the last answers at the end.
    async fn call_until(self, stopped: CancellationToken) {
        let (mut ticks, mut calls, mut number) = (interval(CALL_INTERVAL), JoinSet::new(), 0);
        while stopped.run_until_cancelled(ticks.tick()).await.is_some() {
            let client = self.clone();
            calls.spawn(async move { client.measure(number).await });
            number += 1;
        }
        calls.join_all().await;
    }

    async fn measure(&self, number: usize) {
        let asked = Instant::now();
        let outcome = self.calls.make(number).await;
        let mut answers = self.answers.lock().expect("no panic");
        answers.times.push(asked.elapsed());
        answers.failures.extend(outcome.err().map(|error| format!("{error:#}")));
    }
}

impl Working {
    /// Waits for the last answers.
    pub(crate) async fn stop(self) -> anyhow::Result<Answers> {
        let Self { honest, stop, thread } = self;
        stop.cancel();
        let joined = tokio::task::spawn_blocking(|| thread.join()).await?;
        ensure!(joined.is_ok(), "the honest client panicked");
        let mut answers = std::mem::take(&mut *honest.answers.lock().expect("no panic"));
        answers.times.sort_unstable();
        Ok(answers)
    }
}

impl Answers {
    pub(crate) fn count(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        self.times.get(self.times.len() * percent / 100).copied().unwrap_or_default()
    }
}
