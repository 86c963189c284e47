//! Closed loops: each connection has one request at a time, for a fixed duration.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    figures::{Latencies, per_second},
    operation::Operation,
    service::Services,
    session::{Numbers, Session},
    usage::Usage,
};

/// Time before the measurement. It opens connections, and fills the caches of passwords, documents and statements.
pub(crate) const WARM_UP: Duration = Duration::from_millis(400);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) operation: Operation,
    pub(crate) connections: usize,
    pub(crate) lasts: Duration,
}

#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) latencies: Latencies,
    /// Usage during the measurement.
    pub(crate) used: Usage,
}

impl Load {
    /// Runs the load. Any response but a success is an error.
    pub(crate) async fn run(
        self,
        services: &Services,
        postmaster: Option<u32>,
        numbers: &Arc<Numbers>,
    ) -> anyhow::Result<Measured> {
        self.run_at(self.port(services), services, postmaster, numbers).await
    }

    /// The same with other credentials.
    pub(crate) async fn run_authorized_by(
        self,
        authorization: &str,
        services: &Services,
        postmaster: Option<u32>,
        numbers: &Arc<Numbers>,
    ) -> anyhow::Result<Measured> {
        let sessions = self.sessions(self.port(services), numbers).await?;
        let sessions = sessions.into_iter().map(|session| session.authorized_by(authorization));
        self.measure(sessions.collect(), services, postmaster).await
    }

    /// The same with the server at this port.
    pub(crate) async fn run_at(
        self,
        port: u16,
        services: &Services,
        postmaster: Option<u32>,
        numbers: &Arc<Numbers>,
    ) -> anyhow::Result<Measured> {
        self.measure(self.sessions(port, numbers).await?, services, postmaster).await
    }

    fn port(self, services: &Services) -> u16 {
        if self.operation == Operation::Record { services.finance.port } else { services.consultation.port }
    }

    async fn sessions(self, port: u16, numbers: &Arc<Numbers>) -> anyhow::Result<Vec<Session>> {
        let mut sessions = Vec::new();
        for _ in 0..self.connections {
            sessions.push(Session::open(port, self.operation, numbers.clone()).await?);
        }
        Ok(sessions)
    }

    async fn measure(
        self,
        sessions: Vec<Session>,
        services: &Services,
        postmaster: Option<u32>,
    ) -> anyhow::Result<Measured> {
        let begin = Instant::now() + WARM_UP;
        let end = begin + self.lasts;
        let mut clients = JoinSet::new();
        for session in sessions {
            clients.spawn(client(session, begin, end));
        }
        sleep_until(begin).await;
        let before = Usage::now(services, postmaster)?;
        sleep_until(end).await;
        let used = Usage::now(services, postmaster)?.since(&before);
        let (mut times, mut failures) = (Vec::new(), Vec::new());
        while let Some(client) = clients.join_next().await {
            let (took, failure) = client?;
            times.extend(took);
            failures.extend(failure);
        }
        if let Some(failure) = failures.first() {
            bail!("{} of {} clients failed, one with: {failure:#}", failures.len(), self.connections);
        }
        let latencies: Latencies = times.into_iter().collect();
        Some(latencies.count()).filter(|count| *count > 0).context("nothing was answered in time")?;
        Ok(Measured { per_second: per_second(latencies.count(), self.lasts), latencies, used })
    }
}

/// Latencies between begin and end, and the failure that ended them, if any.
async fn client(mut session: Session, begin: Instant, end: Instant) -> (Vec<Duration>, Option<anyhow::Error>) {
    let mut took = Vec::new();
    let mut sent = Instant::now();
    while sent < end {
        if let Err(failure) = session.step().await {
            return (took, Some(failure));
        }
        let answered = Instant::now();
        if answered >= begin && answered < end {
            took.push(answered - sent);
        }
        sent = answered;
    }
    (took, None)
}
