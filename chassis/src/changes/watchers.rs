//! Who follows which row: a map, so that a change costs what its own followers cost, however many follow others.

use std::{
    collections::HashMap,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch::{Receiver, Sender};
use uuid::Uuid;

/// The followers of each row. One that nobody follows takes no place.
#[derive(Clone, Debug, Default)]
pub(super) struct Watchers(Arc<Mutex<HashMap<Uuid, Sender<()>>>>);

/// Follows one row.
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

    pub(super) fn tell(&self, ids: &[Uuid]) {
        let watched = self.lock();
        for changed in ids.iter().filter_map(|id| watched.get(id)) {
            changed.send_replace(());
        }
    }

    /// Any row may have changed.
    pub(super) fn tell_all(&self) {
        for changed in self.lock().values() {
            changed.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    /// Returns when the row has, or may have, changed since the last time. Several changes meanwhile are one.
    pub async fn changed(&mut self) {
        let is_told = if let Some(changes) = &mut self.changes { changes.changed().await.is_ok() } else { false };
        if !is_told {
            // Never: the sender lives as long as this.
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

    fn is_told(watcher: &mut Watcher) -> bool {
        watcher.changed().now_or_never().is_some()
    }

    #[test]
    fn a_change_is_told_to_those_who_follow_the_row_and_a_gap_to_all() {
        let watchers = Watchers::default();
        let (mut one, mut other) = (watchers.watch(ONE), watchers.watch(OTHER));
        assert!(!is_told(&mut one));
        watchers.tell(&[ONE, ONE]);
        assert_eq!((is_told(&mut one), is_told(&mut one), is_told(&mut other)), (true, false, false));
        watchers.tell_all();
        assert_eq!((is_told(&mut one), is_told(&mut other)), (true, true));
    }

    #[test]
    fn a_row_that_nobody_follows_any_more_takes_no_place() {
        let watchers = Watchers::default();
        let (one, mut another) = (watchers.watch(ONE), watchers.watch(ONE));
        drop(one);
        watchers.tell(&[ONE]);
        assert!(is_told(&mut another));
        drop(another);
        assert!(watchers.lock().is_empty());
    }
}
