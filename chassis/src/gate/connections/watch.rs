//! Compares the connections with the limits, again and again.
//!
//! One loop for all rather than timers for each: no request pays for it.

use std::{cmp::Reverse, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout};

use super::{
    peer::{Order, Peer},
    peers::Peers,
};

/// Above the limit of unread answers, a client that reads nothing for so long is closed; sooner, the more there are.
const STALLED: Duration = Duration::from_secs(1);
/// How often connections are looked at meanwhile.
const CHECK_STALLED: Duration = Duration::from_millis(100);

/// Keeps the limits, for ever.
pub(super) async fn watch(peers: &Peers) {
    loop {
        if peers.unread.excess() > 0 {
            sleep(CHECK_STALLED).await;
        } else {
            // Either is a reason to look.
            drop(timeout(peers.limits.check_interval(), peers.unread.exceeded.notified()).await);
        }
        let (all, now) = (peers.all(), Instant::now());
        for peer in &all {
            peer.order(peer.due(&peers.limits, now));
        }
        close_stalled(peers, &all, now);
    }
}

/// Closes clients that do not read, those first for whom most waits, until what is left is below the limit.
fn close_stalled(peers: &Peers, all: &[Arc<Peer>], now: Instant) {
    let mut excess = peers.unread.excess();
    if excess == 0 {
        return;
    }
    let longest = STALLED / peers.unread.load();
    let unread = all.iter().filter_map(|peer| Some((peer, peer.unread(now)?)));
    let mut stalled: Vec<_> =
        unread.filter(|(_, (stalled, _))| *stalled > longest).map(|(peer, (_, bytes))| (bytes, peer)).collect();
    stalled.sort_unstable_by_key(|(bytes, _)| Reverse(*bytes));
    for (bytes, peer) in stalled {
        if excess == 0 {
            return;
        }
        tracing::debug!(peer = %peer.address, bytes, "a client that does not read its answers is closed");
        peer.order(Order::Close);
        excess = excess.saturating_sub(bytes);
    }
}
