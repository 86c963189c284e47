//! An attack: its set-up, its steps, its evidence.

use futures_util::future::BoxFuture;

use crate::stage::{Setup, Stage};

/// The steps of an attack. An error means that the attack could not be made, not that it succeeded.
pub(crate) type Steps = for<'a> fn(&'a Stage) -> BoxFuture<'a, anyhow::Result<Evidence>>;

#[derive(Debug)]
pub(crate) struct Attack {
    /// For `--only`.
    pub(crate) name: &'static str,
    /// For the table of the documentation.
    pub(crate) title: &'static str,
    pub(crate) setup: Setup,
    pub(crate) steps: Steps,
}

impl Attack {
    /// An attack on services with default settings.
    pub(crate) fn new(name: &'static str, title: &'static str, steps: Steps) -> Self {
        Self { name, title, setup: Setup::default(), steps }
    }

    /// The same attack on services with another set-up.
    pub(crate) fn on(self, setup: Setup) -> Self {
        Self { setup, ..self }
    }
}

/// The evidence that an attack itself collects. Memory, answers and log lines are measured from outside.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    /// The number of requests that it sent. Each may be logged once.
    pub(crate) requests: usize,
    /// Violations that it achieved.
    pub(crate) holes: Vec<String>,
}

impl Evidence {
    pub(crate) fn of(requests: usize) -> Self {
        Self { requests, holes: Vec::new() }
    }

    /// Adds a hole if `is_hole`.
    pub(crate) fn hole_if(mut self, is_hole: bool, what: impl Into<String>) -> Self {
        if is_hole {
            self.holes.push(what.into());
        }
        self
    }
}
