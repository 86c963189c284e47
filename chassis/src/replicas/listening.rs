//! Hears the other replicas on a connection of its own, which is made anew when it fails or goes silent.

use std::{future::Future, time::Duration};

use sea_orm::sqlx::{
    self,
    postgres::{PgListener, PgPool},
};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{SILENT_AFTER, inbox::Inbox};
use crate::{backoff::database_delay, database::Database, health::Heartbeat};

/// The longest wait for the connection, and for its LISTEN.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How often it looks who has fallen silent.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

pub(super) async fn keep_listening(mut channels: Vec<Inbox>, database: &Database, heartbeat: &Heartbeat) {
    let mut failures = 0;
    loop {
        heartbeat.beat();
        // Anew each time: one that is silent still belongs to its listener.
        let Some(connection) = database.notifications() else { return };
        if let Err(error) = listen(&mut channels, &connection, heartbeat, &mut failures).await {
            // The readiness check logs an outage of the database, once. Of a connection that is open and brings nothing, as
            // behind a pooler that keeps no sessions, only this tells.
            if failures == 0 && matches!(error, sqlx::Error::Protocol(_)) {
                tracing::warn!(%error, "notifications of other replicas are lost; connecting again");
            } else {
                tracing::debug!(%error, "does not hear other replicas; trying again");
            }
        }
        // Also after a connection that was closed properly: it may be closed again at once.
        failures += 1;
        sleep(database_delay(failures)).await;
    }
}

/// Hears the other replicas until the connection fails, or does not even bring this replica's own beats.
async fn listen(
    channels: &mut [Inbox],
    connection: &PgPool,
    heartbeat: &Heartbeat,
    failures: &mut u32,
) -> Result<(), sqlx::Error> {
    let mut listener = within(CONNECT_TIMEOUT, PgListener::connect_with(connection)).await?;
    listener.eager_reconnect(false);
    within(CONNECT_TIMEOUT, listener.listen_all(channels.iter().map(|channel| channel.name))).await?;
    *failures = 0;
    let mut heard_itself = Instant::now();
    for channel in channels.iter_mut() {
        channel.listens_again(heard_itself);
    }
    loop {
        heartbeat.beat();
        let wait = channels.iter().filter_map(Inbox::next_handover).fold(Instant::now() + LOOK_INTERVAL, Ord::min);
        let notified = timeout_at(wait, listener.try_recv()).await;
        let now = Instant::now();
        match notified {
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Ok(Ok(Some(notification))) => {
                let channel = channels.iter_mut().find(|channel| channel.name == notification.channel());
                if channel.is_some_and(|channel| channel.receive(notification.payload(), now)) {
                    heard_itself = now;
                }
            }
            Err(_) if now.duration_since(heard_itself) > SILENT_AFTER => return Err(silent("brings no notifications")),
            Err(_) => {}
        }
        for channel in channels.iter_mut() {
            channel.hand_over(now);
        }
    }
}

async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    timeout(limit, answer).await.unwrap_or_else(|_| Err(silent("does not answer")))
}

fn silent(what: &str) -> sqlx::Error {
    sqlx::Error::Protocol(format!("the connection for notifications {what}"))
}
