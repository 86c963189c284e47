//! All connections of a server: admission, and the closing of idle ones to make room.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use super::{
    super::client_address::network,
    limits::Limits,
    peer::{Order, Peer},
    unread::Unread,
};

/// Connections beyond the limit that receive a refusal. Further ones are closed without one.
const MAX_REFUSED: usize = 32;
/// Without room, 1/64 of all connections is closed together. A search per connection would take a core in a flood.
const IDLE_CLOSE_DIVISOR: usize = 64;

/// The connections of a server.
#[derive(Debug)]
pub(super) struct Peers {
    pub(super) limits: Limits,
    pub(super) unread: Arc<Unread>,
    open: Mutex<Open>,
    /// Notified when a connection is closed.
    left: Notify,
}

#[derive(Debug, Default)]
struct Open {
    last: u64,
    by_number: HashMap<u64, Arc<Peer>>,
    /// Number of connections beyond the limit among them.
    refused: usize,
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) peer: Arc<Peer>,
    number: u64,
    peers: Arc<Peers>,
}

impl Peers {
    pub(super) fn new(limits: Limits) -> Self {
        let unread = Arc::new(Unread::new(limits.unread_answers));
        Self { limits, unread, open: Mutex::default(), left: Notify::new() }
    }

    /// Returns a place for a connection. Without a free one, an idle connection gives up its place. Without an idle
    /// one, the place is one of the few for refusals.
    pub(super) fn admit(self: &Arc<Self>, address: SocketAddr) -> Option<Place> {
        let is_refused = !self.has_room() && !self.close_idle();
        let mut open = self.open();
        if is_refused && open.refused >= MAX_REFUSED {
            return None;
        }
        open.refused += usize::from(is_refused);
        open.last += 1;
        let number = open.last;
        let peer = Arc::new(Peer::new(address, is_refused, Arc::clone(&self.unread)));
        open.by_number.insert(number, Arc::clone(&peer));
        drop(open);
        Some(Place { peer, number, peers: Arc::clone(self) })
    }

    /// Closes the oldest idle connections of the network with the most idle ones, so that a flood makes room for
    /// others. Returns whether there were any.
    pub(super) fn close_idle(&self) -> bool {
        let mut open = self.open();
        let mut networks = HashMap::<IpAddr, Vec<(Instant, u64)>>::new();
        for (number, peer) in open.by_number.iter().filter(|(_, peer)| !peer.is_refused) {
            if let Some(since) = peer.idle_since() {
                networks.entry(network(peer.address.ip().to_canonical())).or_default().push((since, *number));
            }
        }
        let Some(mut idle) = networks.into_values().max_by_key(Vec::len) else { return false };
        idle.sort_unstable();
        for (_, number) in idle.iter().take((self.limits.connections / IDLE_CLOSE_DIVISOR).max(1)) {
            // Its place is free at once; it ends when its task runs next.
            open.by_number.remove(number).iter().for_each(|peer| peer.order(Order::Close));
        }
        true
    }

    /// Finishes requests in progress, for at most `limit`.
    pub(super) async fn drain(&self, limit: Duration) {
        self.all().iter().for_each(|peer| peer.order(Order::Finish));
        if timeout(limit, self.all_left()).await.is_err() {
            self.all().iter().for_each(|peer| peer.order(Order::Close));
        }
    }

    pub(super) fn all(&self) -> Vec<Arc<Peer>> {
        self.open().by_number.values().cloned().collect()
    }

    fn has_room(&self) -> bool {
        let open = self.open();
        open.by_number.len() - open.refused < self.limits.connections
    }

    async fn all_left(&self) {
        loop {
            let left = self.left.notified();
            if self.open().by_number.is_empty() {
                return;
            }
            left.await;
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.peers.open();
        if open.by_number.remove(&self.number).is_some() {
            open.refused -= usize::from(self.peer.is_refused);
        }
        drop(open);
        self.peers.left.notify_waiters();
    }
}
