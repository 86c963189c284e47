//! Fair shares of a limited number of places: an owner gets another place only while more are free than it has.
//!
//! So the first owner takes at most half of them, the second a quarter, and each finds one.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Places, shared by owners of type `K`.
#[derive(Debug)]
pub(crate) struct Shares<K> {
    free: Mutex<Free<K>>,
}

#[derive(Debug)]
struct Free<K> {
    places: usize,
    taken: HashMap<K, usize>,
}

/// A place, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Share<K: Eq + Hash> {
    shares: Arc<Shares<K>>,
    owner: K,
}

impl<K: Eq + Hash + Clone> Shares<K> {
    pub(crate) fn new(places: usize) -> Self {
        Self { free: Mutex::new(Free { places, taken: HashMap::new() }) }
    }

    /// Takes a place for `owner`, or returns `None` beyond its share.
    pub(crate) fn take(self: &Arc<Self>, owner: K) -> Option<Share<K>> {
        let mut free = self.free();
        let has = free.taken.get(&owner).copied().unwrap_or_default();
        if has >= free.places {
            return None;
        }
        free.places -= 1;
        free.taken.insert(owner.clone(), has + 1);
        drop(free);
        Some(Share { shares: Arc::clone(self), owner })
    }
}

impl<K> Shares<K> {
    fn free(&self) -> MutexGuard<'_, Free<K>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut free = self.shares.free();
        free.places += 1;
        if let Some(has) = free.taken.get_mut(&self.owner) {
            *has -= 1;
            if *has == 0 {
                free.taken.remove(&self.owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_gets_half_of_the_places_and_another_finds_some() {
        let shares = Arc::new(Shares::new(100));
        let take_all = |owner| std::iter::from_fn(|| shares.take(owner)).collect::<Vec<_>>();
        let (greedy, late) = (take_all("greedy"), take_all("late"));
        assert_eq!((greedy.len(), late.len()), (50, 25));
        drop(greedy);
        assert_eq!(take_all("greedy").len(), 38);
    }
}
