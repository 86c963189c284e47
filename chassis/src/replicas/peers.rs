//! The other replicas on a channel: whether a message of one is missing, and whether one has fallen silent. A pure value.

use std::collections::HashMap;

use tokio::time::Instant;
use uuid::Uuid;

use super::SILENT_AFTER;

/// More replicas than share a database. Beyond, as when notifications are forged, the others are not watched.
const MAX_PEERS: usize = 256;

/// Who was heard, and when.
#[derive(Debug, Default)]
pub(super) struct Peers(HashMap<Uuid, Peer>);

#[derive(Debug)]
struct Peer {
    /// Of its last message; unknown after a time in which nobody listened.
    number: Option<u64>,
    heard: Instant,
}

impl Peers {
    /// A message with this number was heard. Returns whether one before it is missing.
    pub(super) fn heard(&mut self, process: Uuid, number: u64, now: Instant) -> bool {
        if !self.0.contains_key(&process) && self.0.len() >= MAX_PEERS {
            return false;
        }
        let peer = self.0.entry(process).or_insert(Peer { number: None, heard: now });
        let has_gap = peer.number.is_some_and(|last| number > last.saturating_add(1));
        *peer = Peer { number: peer.number.max(Some(number)), heard: now };
        has_gap
    }

    /// One has said good-bye.
    pub(super) fn left(&mut self, process: Uuid) {
        self.0.remove(&process);
    }

    /// Nobody listened meanwhile: what was missed is told to all, so that numbers count from the next message on.
    pub(super) fn listened_again(&mut self, now: Instant) {
        for peer in self.0.values_mut() {
            *peer = Peer { number: None, heard: now };
        }
    }

    /// Forgets who has fallen silent. Returns whether anybody has.
    pub(super) fn forget_silent(&mut self, now: Instant) -> bool {
        let before = self.0.len();
        self.0.retain(|_, peer| now.duration_since(peer.heard) < SILENT_AFTER);
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
        // It may have sent others before anybody listened.
        let gaps = [7, 8, 8, 10, 9, 11].map(|number| peers.heard(ONE, number, now));
        assert_eq!(gaps, [false, false, false, true, false, false]);
        assert!(!peers.heard(OTHER, 1, now), "each counts by itself");
    }

    #[test]
    fn one_that_falls_silent_without_a_good_bye_is_noticed_once() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        for (process, number) in [(ONE, 1), (OTHER, 1)] {
            peers.heard(process, number, now);
        }
        peers.left(OTHER);
        assert!(!peers.forget_silent(now + SILENT_AFTER - Duration::from_millis(1)));
        assert!(peers.forget_silent(now + SILENT_AFTER));
        assert!(!peers.forget_silent(now + SILENT_AFTER * 2));
    }

    #[test]
    fn while_nobody_listened_nothing_is_counted() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        peers.heard(ONE, 1, now);
        peers.listened_again(now + SILENT_AFTER);
        assert!(!peers.forget_silent(now + SILENT_AFTER), "it could not be heard");
        assert!(!peers.heard(ONE, 9, now + SILENT_AFTER));
        assert!(peers.heard(ONE, 11, now + SILENT_AFTER));
    }

    #[test]
    fn forged_senders_take_no_memory_beyond_a_bound() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        for process in 0..10_000 {
            peers.heard(Uuid::from_u128(process), 1, now);
        }
        assert_eq!(peers.0.len(), MAX_PEERS);
    }
}
