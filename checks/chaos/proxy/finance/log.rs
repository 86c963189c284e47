//! The log of a proxy: its calls, and the faults of single answers.

use std::{collections::BTreeMap, sync::Mutex, time::Instant};

/// A call: its time, and whether finance's own success went back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) at: Instant,
    pub(crate) answered: Option<Instant>,
}

#[derive(Debug, Default)]
pub(crate) struct Log {
    calls: Mutex<Vec<Call>>,
    injected: Mutex<BTreeMap<&'static str, u64>>,
}

impl Log {
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().expect("calls").clone()
    }

    pub(crate) fn injected(&self) -> BTreeMap<&'static str, u64> {
        self.injected.lock().expect("injected").clone()
    }

    /// Logs a new call. Returns its number.
    pub(super) fn call(&self) -> usize {
        let mut calls = self.calls.lock().expect("calls");
        calls.push(Call { at: Instant::now(), answered: None });
        calls.len() - 1
    }

    pub(super) fn answered(&self, call: usize) {
        self.calls.lock().expect("calls")[call].answered = Some(Instant::now());
    }

    pub(super) fn inject(&self, fault: &'static str) {
        *self.injected.lock().expect("injected").entry(fault).or_default() += 1;
    }
}
