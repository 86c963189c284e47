//! The life of a process: tasks that run until a signal, then drain; a task that ends early ends all.

use std::{future::Future, time::Duration};

use anyhow::{Context, anyhow};
use futures_util::{FutureExt, future::BoxFuture};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::{JoinError, JoinSet},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// Orchestrators kill after 10 s by default; what is not done by then would be killed anyway.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// The tasks of a process and their common end.
#[expect(missing_debug_implementations, reason = "futures have none")]
pub struct Lifecycle {
    shutdown: CancellationToken,
    tasks: JoinSet<(&'static str, anyhow::Result<()>)>,
    signals: Signals,
    at_end: Vec<BoxFuture<'static, anyhow::Result<()>>>,
}

#[derive(Debug)]
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Lifecycle {
    /// Begins to listen for SIGTERM and SIGINT.
    ///
    /// # Errors
    /// When signals cannot be handled.
    pub fn new() -> anyhow::Result<Self> {
        let signals =
            Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? };
        Ok(Self { shutdown: CancellationToken::new(), tasks: JoinSet::new(), signals, at_end: Vec::new() })
    }

    /// Cancelled when the process should end: take nothing new, finish what was begun.
    #[must_use]
    pub fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// Adds a task, which ends by itself only after [`Lifecycle::shutdown`] is cancelled.
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.tasks.spawn(async move { (name, task.await) });
    }

    /// Adds what is done when all tasks have ended in order, such as closing what they used.
    pub fn at_end(&mut self, work: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.at_end.push(work.boxed());
    }

    /// Runs until a signal, a cancelled [`Lifecycle::shutdown`] or the end of a task, then drains for at most [`DRAIN_LIMIT`].
    ///
    /// # Errors
    /// When a task ended by itself, failed or panicked, when a second signal came, or when the drain
    /// took too long: the process should exit with a code that is not zero.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let early_end = tokio::select! {
            biased;
            name = self.signals.next() => {
                tracing::info!("{name}: finishing what was begun; another signal ends at once");
                None
            }
            () = self.shutdown.cancelled() => None,
            Some(ended) = self.tasks.join_next() => Some(early_end(ended)),
        };
        self.shutdown.cancel();
        let drained = tokio::select! {
            drained = timeout(DRAIN_LIMIT, drain(&mut self.tasks, self.at_end)) => {
                drained.unwrap_or_else(|_| Err(anyhow!("not drained after {} s", DRAIN_LIMIT.as_secs())))
            }
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

/// Waits for all tasks, the first failure of which counts; without one, ends the rest.
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
