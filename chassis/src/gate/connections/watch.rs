//! Periodic check of connections against the limits.
//!
//! One loop for all connections rather than timers for each: no request pays for it.

use std::{cmp::Reverse, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout};

use super::{
    peer::{Order, Peer},
    peers::Peers,
};

/// Above the limit of unread bytes, a client that reads nothing for this long is closed; sooner, the higher the excess.
const STALL_TIMEOUT: Duration = Duration::from_secs(1);
/// Interval of the check above the limit.
const STALL_CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// Enforces the limits, for ever.
pub(super) async fn watch(peers: &Peers) {
    loop {
        if peers.unread.excess() > 0 {
            sleep(STALL_CHECK_INTERVAL).await;
        } else {
            // Both the timeout and the notification start a check.
            drop(timeout(peers.limits.check_interval(), peers.unread.exceeded.notified()).await);
        }
        let (all, now) = (peers.all(), Instant::now());
        for peer in &all {
            peer.order(peer.due(&peers.limits, now));
        }
        close_stalled(peers, &all, now);
    }
}

/// Closes stalled clients, those with the most unread bytes first, until the total is below the limit.
fn close_stalled(peers: &Peers, all: &[Arc<Peer>], now: Instant) {
    let mut excess = peers.unread.excess();
    if excess == 0 {
        return;
    }
    let longest = STALL_TIMEOUT / peers.unread.load();
    let unread = all.iter().filter_map(|peer| Some((peer, peer.unread(now)?)));
    let mut stalled: Vec<_> =
        unread.filter(|(_, (stalled, _))| *stalled > longest).map(|(peer, (_, bytes))| (bytes, peer)).collect();
    stalled.sort_unstable_by_key(|(bytes, _)| Reverse(*bytes));
    for (bytes, peer) in stalled {
        if excess == 0 {
            return;
        }
        tracing::debug!(peer = %peer.address, bytes, "closing a client that does not read its responses");
        peer.order(Order::Close);
        excess = excess.saturating_sub(bytes);
    }
}
