//! Stalls: a service that does no work must report it, and every call ends.

use super::{
    Verdict,
    names::{CALLS, SILENCE},
};
use crate::{
    watch::{Call, Silence},
    world::World,
};

/// The watchers' observations.
#[derive(Debug)]
pub(crate) struct Stalls {
    pub(crate) silences: Vec<Silence>,
    calls: (usize, Vec<Call>),
    began: tokio::time::Instant,
}

impl Stalls {
    /// Until now.
    pub(crate) fn of(world: &World, began: tokio::time::Instant) -> Self {
        let silences = world.watch.silences(world.stack.consultation.len());
        Self { silences, calls: world.watch.calls(), began }
    }

    pub(crate) fn check(&self) -> Vec<Verdict> {
        let silences = self.silences.iter().filter(|silence| silence.is_violation());
        let silences = silences.map(|silence| silence.describe(self.began));
        let (all, slow) = &self.calls;
        let slow = slow.iter().map(|Call { replica, what, at }| {
            let (from, length) = ((at.start - self.began).as_secs_f64(), (at.end - at.start).as_secs_f64());
            format!("{replica}: {what} at {from:.0} s took {length:.1} s")
        });
        vec![
            Verdict { invariant: SILENCE, checked: *all, violations: silences.collect() },
            Verdict { invariant: CALLS, checked: *all, violations: slow.collect() },
        ]
    }
}
