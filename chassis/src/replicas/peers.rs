//! The other replicas on a channel: detects gaps in a replica's messages, and replicas that fall silent. A pure value.

use std::collections::HashMap;

use tokio::time::Instant;
use uuid::Uuid;

use super::SILENCE_TIMEOUT;

/// More than the replicas of any database. Beyond it, as with forged notifications, further ones are not tracked.
const MAX_PEERS: usize = 256;

/// Last message of each replica, and its time.
#[derive(Debug, Default)]
pub(super) struct Peers(HashMap<Uuid, Peer>);

#[derive(Debug)]
struct Peer {
    /// Number of its last message; `None` after a time without a connection.
    number: Option<u64>,
    received: Instant,
}

impl Peers {
    /// Records a message. Returns whether one before it is missing.
    pub(super) fn received(&mut self, process: Uuid, number: u64, now: Instant) -> bool {
        if !self.0.contains_key(&process) && self.0.len() >= MAX_PEERS {
            return false;
        }
        let peer = self.0.entry(process).or_insert(Peer { number: None, received: now });
        let has_gap = peer.number.is_some_and(|last| number > last.saturating_add(1));
        *peer = Peer { number: peer.number.max(Some(number)), received: now };
        has_gap
    }

    /// Removes a replica that sent its goodbye.
    pub(super) fn left(&mut self, process: Uuid) {
        self.0.remove(&process);
    }

    /// After a time without a connection: subscribers received `Missed`, so numbers count from the next message on.
    pub(super) fn restarted(&mut self, now: Instant) {
        for peer in self.0.values_mut() {
            *peer = Peer { number: None, received: now };
        }
    }

    /// Forgets silent replicas. Returns whether there was one.
    pub(super) fn forget_silent(&mut self, now: Instant) -> bool {
        let before = self.0.len();
        self.0.retain(|_, peer| now.duration_since(peer.received) < SILENCE_TIMEOUT);
        self.0.len() < before
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ONE: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    #[test]
    fn a_number_that_is_left_out_is_a_gap_and_one_that_comes_late_or_twice_is_none() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        // It may have sent earlier ones before this replica connected.
        let gaps = [7, 8, 8, 10, 9, 11].map(|number| peers.received(ONE, number, now));
        assert_eq!(gaps, [false, false, false, true, false, false]);
        assert!(!peers.received(OTHER, 1, now), "each counts by itself");
    }

    #[test]
    fn a_replica_that_falls_silent_without_a_goodbye_is_noticed_once() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        for (process, number) in [(ONE, 1), (OTHER, 1)] {
            peers.received(process, number, now);
        }
        peers.left(OTHER);
        assert!(!peers.forget_silent(now + SILENCE_TIMEOUT - Duration::from_millis(1)));
        assert!(peers.forget_silent(now + SILENCE_TIMEOUT));
        assert!(!peers.forget_silent(now + SILENCE_TIMEOUT * 2));
    }

    #[test]
    fn nothing_counts_as_missing_without_a_connection() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        peers.received(ONE, 1, now);
        peers.restarted(now + SILENCE_TIMEOUT);
        assert!(!peers.forget_silent(now + SILENCE_TIMEOUT), "it could not be received");
        assert!(!peers.received(ONE, 9, now + SILENCE_TIMEOUT));
        assert!(peers.received(ONE, 11, now + SILENCE_TIMEOUT));
    }

    #[test]
    fn forged_senders_take_no_memory_beyond_a_bound() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        for process in 0..10_000 {
            peers.received(Uuid::from_u128(process), 1, now);
        }
        assert_eq!(peers.0.len(), MAX_PEERS);
    }
}
