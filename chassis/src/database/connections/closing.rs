//! Closes idle connections, and all of them at the end.

use std::time::Duration;

use super::Connections;

impl Connections {
    /// Whether a statement through this handle would wait for a place.
    pub(in super::super) fn is_full(&self) -> bool {
        self.limits.iter().flatten().any(|limit| limit.is_full())
    }

    /// Closes connections that were idle for `idle`, except for one, so that other processes can have them.
    pub(in super::super) fn close_idle(&self, idle: Duration) {
        let mut kept = 0;
        self.pool.retain(|_, metrics| {
            let keep = kept == 0 || metrics.last_used() < idle;
            kept += usize::from(keep);
            keep
        });
    }

    /// Closes all connections and waits for the idle ones. Statements in progress end first.
    pub(in super::super) async fn close(&self) {
        let idle = self.pool.retain(|_, _| false).removed;
        self.pool.close();
        for session in idle {
            if let Err(error) = session.close().await {
                tracing::debug!(%error, "a connection was not closed properly");
            }
        }
    }
}
