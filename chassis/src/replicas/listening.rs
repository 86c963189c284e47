//! Receives notifications on a connection of its own and reconnects when it fails or falls silent.

use std::time::Duration;

use sea_orm::sqlx::{
    self,
    postgres::{PgListener, PgPool},
};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{SILENCE_TIMEOUT, channel_of_feed, inbox::Inbox};
use crate::{backoff::database_delay, database::Database, health::Heartbeat};

/// Longest wait for the connection, and for its LISTEN.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Interval of the check for silent replicas.
const SILENCE_CHECK_INTERVAL: Duration = Duration::from_secs(1);

const CHANNEL: &str = concat!("SELECT ", channel_of_feed!());

pub(super) async fn keep_listening(mut channels: Vec<Inbox>, database: &Database, heartbeat: &Heartbeat) {
    let mut failures = 0;
    loop {
        heartbeat.beat();
        // A new one each time: a silent one still belongs to its listener.
        let Some(connection) = database.notifications() else { return };
        if let Err(error) = listen(&mut channels, &connection, heartbeat, &mut failures).await {
            // The readiness check logs an outage of the database, once. Only this line reports an open connection
            // without notifications, as behind a pooler that keeps no sessions.
            if failures == 0 && matches!(error, sqlx::Error::Protocol(_)) {
                tracing::warn!(%error, "notifications of other replicas are lost; connecting again");
            } else {
                tracing::debug!(%error, "not connected to other replicas; trying again");
            }
        }
        // Also after an orderly close: the server may close the next one at once.
        failures += 1;
        sleep(database_delay(failures)).await;
    }
}

/// Receives notifications until the connection fails, or does not even deliver this replica's own heartbeats.
async fn listen(
    channels: &mut [Inbox],
    connection: &PgPool,
    heartbeat: &Heartbeat,
    failures: &mut u32,
) -> Result<(), sqlx::Error> {
    let connected = timeout(CONNECT_TIMEOUT, PgListener::connect_with(connection)).await;
    // As any other connection that is not made: an outage.
    let mut listener = connected.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut))?;
    listener.eager_reconnect(false);
    let names = timeout(CONNECT_TIMEOUT, listen_to_all(&mut listener, channels)).await;
    let names = names.unwrap_or_else(|_| Err(silent("does not answer")))?;
    *failures = 0;
    let mut last_own = Instant::now();
    for channel in channels.iter_mut() {
        channel.connected(last_own);
    }
    loop {
        heartbeat.beat();
        let wait =
            channels.iter().filter_map(Inbox::next_delivery).fold(Instant::now() + SILENCE_CHECK_INTERVAL, Ord::min);
        let notified = timeout_at(wait, listener.try_recv()).await;
        let now = Instant::now();
        match notified {
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Ok(Ok(Some(notification))) => {
                let number = names.iter().position(|name| name == notification.channel());
                if number.is_some_and(|number| channels[number].receive(notification.payload(), now)) {
                    last_own = now;
                }
            }
            Err(_) if now.duration_since(last_own) > SILENCE_TIMEOUT => return Err(silent("brings no notifications")),
            Err(_) => {}
        }
        for channel in channels.iter_mut() {
            channel.deliver(now);
        }
    }
}

/// Listens to the channels of these feeds, and returns their names.
async fn listen_to_all(listener: &mut PgListener, feeds: &[Inbox]) -> Result<Vec<String>, sqlx::Error> {
    let mut names = Vec::new();
    for feed in feeds {
        names.push(sqlx::query_scalar(CHANNEL).bind(feed.name).fetch_one(&mut *listener).await?);
    }
    listener.listen_all(names.iter().map(String::as_str)).await?;
    Ok(names)
}

fn silent(what: &str) -> sqlx::Error {
    sqlx::Error::Protocol(format!("the connection for notifications {what}"))
}
