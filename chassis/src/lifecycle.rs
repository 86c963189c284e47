//! Life cycle of a process: its tasks run until a signal, then drain. A task that ends early ends all.

use std::{future::Future, time::Duration};

use anyhow::{Context, anyhow};
use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::{JoinError, JoinSet},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::traces::Traces;

/// Longest drain. Orchestrators kill after 10 s by default.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// The tasks of a process and their common shutdown.
#[expect(missing_debug_implementations, reason = "futures have none")]
pub struct Lifecycle {
    shutdown: CancellationToken,
    tasks: JoinSet<(&'static str, anyhow::Result<()>)>,
    signals: Signals,
    at_end: Vec<BoxFuture<'static, anyhow::Result<()>>>,
    traces: Vec<Traces>,
}

#[derive(Debug)]
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Lifecycle {
    /// Registers handlers for SIGTERM and SIGINT.
    ///
    /// # Errors
    /// When the handlers cannot be registered.
    pub fn new() -> anyhow::Result<Self> {
        let signals =
            Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? };
        let (shutdown, tasks) = (CancellationToken::new(), JoinSet::new());
        Ok(Self { shutdown, tasks, signals, at_end: Vec::new(), traces: Vec::new() })
    }

    /// Cancelled at shutdown: accept no new work, finish what has begun.
    #[must_use]
    pub fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// Adds a task. It must run until [`Lifecycle::shutdown`] is cancelled.
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.tasks.spawn(async move { (name, task.await) });
    }

    /// Adds work for after the drain, such as closing connections. It is skipped when a task failed.
    pub(crate) fn at_end(&mut self, work: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.at_end.push(work.boxed());
    }

    /// Adds traces, of which the last are sent after the drain: those of a task that failed too.
    pub(crate) fn flush_at_end(&mut self, traces: Traces) {
        self.traces.push(traces);
    }

    /// Runs until a signal, the cancellation of [`Lifecycle::shutdown`] or the end of a task, then drains for at most
    /// 10 s. The last traces then take at most 2 s.
    ///
    /// # Errors
    /// When a task ended early, failed or panicked, when a second signal came, or when the drain took too long. The
    /// process should exit with a non-zero code.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let early_end = tokio::select! {
            biased;
            name = self.signals.next() => {
                tracing::info!("{name}: finishing work in progress; a second signal ends it at once");
                None
            }
            () = self.shutdown.cancelled() => None,
            Some(ended) = self.tasks.join_next() => Some(early_end(ended)),
        };
        self.shutdown.cancel();
        let end = async {
            let drained = timeout(DRAIN_TIMEOUT, drain(&mut self.tasks, self.at_end)).await;
            join_all(self.traces.into_iter().map(Traces::flush)).await;
            drained.unwrap_or_else(|_| Err(anyhow!("not drained after {} s", DRAIN_TIMEOUT.as_secs())))
        };
        let drained = tokio::select! {
            drained = end => drained,
            name = self.signals.next() => Err(anyhow!("second {name}: ended at once")),
        };
        early_end.map_or(drained, Err)
    }
}

impl Signals {
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

fn early_end(ended: Result<(&'static str, anyhow::Result<()>), JoinError>) -> anyhow::Error {
    match ended {
        Ok((name, Ok(()))) => anyhow!("{name} ended by itself"),
        Ok((name, Err(error))) => error.context(format!("{name} failed")),
        Err(error) => anyhow!("a task panicked: {error}"),
    }
}

/// Waits for all tasks and returns the first failure. Without one, runs the work `at_end`.
async fn drain(
    tasks: &mut JoinSet<(&'static str, anyhow::Result<()>)>,
    at_end: Vec<BoxFuture<'static, anyhow::Result<()>>>,
) -> anyhow::Result<()> {
    let mut outcome = Ok(());
    while let Some(ended) = tasks.join_next().await {
        let ended = match ended {
            Ok((name, result)) => result.context(name),
            Err(error) => Err(error.into()),
        };
        outcome = outcome.and(ended);
    }
    outcome?;
    for work in at_end {
        work.await?;
    }
    Ok(())
}
