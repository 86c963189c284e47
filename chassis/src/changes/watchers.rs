//! Watchers by row. A change notifies the watchers of its row only: its cost does not depend on those of other rows.

use std::{
    collections::HashMap,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch::{Receiver, Sender};
use uuid::Uuid;

/// The watchers of each row. A row without watchers has no entry.
#[derive(Clone, Debug, Default)]
pub(super) struct Watchers(Arc<Mutex<HashMap<Uuid, Sender<()>>>>);

/// Watches one row.
#[derive(Debug)]
pub struct Watcher {
    id: Uuid,
    changes: Option<Receiver<()>>,
    watchers: Watchers,
}

impl Watchers {
    pub(super) fn watch(&self, id: Uuid) -> Watcher {
        let changes = self.lock().entry(id).or_default().subscribe();
        Watcher { id, changes: Some(changes), watchers: self.clone() }
    }

    pub(super) fn notify(&self, ids: &[Uuid]) {
        let watched = self.lock();
        for changed in ids.iter().filter_map(|id| watched.get(id)) {
            changed.send_replace(());
        }
    }

    /// For a change of unknown rows.
    pub(super) fn notify_all(&self) {
        for changed in self.lock().values() {
            changed.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    /// Returns when the row has changed, or may have, since the last call. Several changes in between count as one.
    pub async fn changed(&mut self) {
        let is_notified = if let Some(changes) = &mut self.changes { changes.changed().await.is_ok() } else { false };
        if !is_notified {
            // Unreachable: the sender lives as long as this watcher.
            pending::<()>().await;
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut watched = self.watchers.lock();
        drop(self.changes.take());
        if watched.get(&self.id).is_some_and(|changed| changed.receiver_count() == 0) {
            watched.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const ONE: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    fn is_notified(watcher: &mut Watcher) -> bool {
        watcher.changed().now_or_never().is_some()
    }

    #[test]
    fn a_change_notifies_the_watchers_of_its_row_and_a_gap_notifies_all() {
        let watchers = Watchers::default();
        let (mut one, mut other) = (watchers.watch(ONE), watchers.watch(OTHER));
        assert!(!is_notified(&mut one));
        watchers.notify(&[ONE, ONE]);
        assert_eq!((is_notified(&mut one), is_notified(&mut one), is_notified(&mut other)), (true, false, false));
        watchers.notify_all();
        assert_eq!((is_notified(&mut one), is_notified(&mut other)), (true, true));
    }

    #[test]
    fn a_row_without_watchers_has_no_entry() {
        let watchers = Watchers::default();
        let (one, mut another) = (watchers.watch(ONE), watchers.watch(ONE));
        drop(one);
        watchers.notify(&[ONE]);
        assert!(is_notified(&mut another));
        drop(another);
        assert!(watchers.lock().is_empty());
    }
}
