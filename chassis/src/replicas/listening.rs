//! Hears the other replicas on a connection of its own, which is made anew when it fails or goes silent.

use std::{future::Future, time::Duration};

use sea_orm::sqlx::{
    self,
    postgres::{PgListener, PgNotification, PgPool},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Channel, Heard, pause};
use crate::{backoff::database_delay, database::Database, health::Heartbeat};

/// After so long without a notification a connection is asked for one. Dead ones are found within three times this.
const SILENCE: Duration = Duration::from_secs(3);

pub(super) async fn keep_listening(
    channels: &[Channel],
    database: &Database,
    heartbeat: &Heartbeat,
    shutdown: &CancellationToken,
) {
    let mut failures = 0;
    while !shutdown.is_cancelled() {
        heartbeat.beat();
        // Anew each time: one that is silent still belongs to its listener.
        let Some(connection) = database.notifications() else { return };
        let listened = tokio::select! {
            // Cancelled between notifications, on a connection of its own that ends with it.
            listened = listen(channels, &connection, heartbeat, &mut failures) => listened,
            () = shutdown.cancelled() => return,
        };
        if let Err(error) = listened {
            if failures == 0 {
                tracing::warn!(%error, "notifications of other replicas are lost; connecting again");
            } else {
                tracing::debug!(%error, "does not hear other replicas; trying again");
            }
        }
        // Also after a connection that was closed properly: it may be closed again at once.
        failures += 1;
        pause(database_delay(failures), shutdown).await;
    }
}

/// Hears the other replicas until the connection fails, or is found dead: a silent one is asked to notify itself.
async fn listen(
    channels: &[Channel],
    connection: &PgPool,
    heartbeat: &Heartbeat,
    failures: &mut u32,
) -> Result<(), sqlx::Error> {
    let own = format!("process_{}", Uuid::new_v4().simple());
    let names = channels.iter().map(|channel| channel.name).chain([own.as_str()]);
    let mut listener = within(SILENCE, PgListener::connect_with(connection)).await?;
    listener.eager_reconnect(false);
    within(SILENCE, listener.listen_all(names)).await?;
    *failures = 0;
    // For what was said while nobody listened.
    for channel in channels {
        (channel.hear)(Heard::Missed);
    }
    let mut is_asked = false;
    loop {
        heartbeat.beat();
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(heard))) => {
                is_asked &= heard.channel() != own;
                dispatch(channels, &heard);
            }
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(_) if is_asked => return Err(silent("does not deliver notifications")),
            Err(_) => {
                let ask = sqlx::query("SELECT pg_notify($1, '')").bind(&own);
                within(SILENCE, ask.execute(&mut listener)).await?;
                is_asked = true;
            }
        }
    }
}

async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    timeout(limit, answer).await.unwrap_or_else(|_| Err(silent("does not answer")))
}

fn silent(what: &str) -> sqlx::Error {
    sqlx::Error::Protocol(format!("the connection for notifications {what} within {} s", SILENCE.as_secs()))
}

fn dispatch(channels: &[Channel], heard: &PgNotification) {
    if let Some(channel) = channels.iter().find(|channel| channel.name == heard.channel()) {
        channel.receive(heard.payload());
    }
}
