//! What is measured when it ends: queries and mutations that run, and open subscriptions.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_graphql::{Name, parser::types::OperationType};
use tokio::time::Instant;

use super::{Conclusion, Measured, Meter, Meters, Sender, code};
use crate::response::Outcome;

/// A query or mutation that runs. It is measured once: at its end, though its client may have gone by then, or at its
/// time-out, after which it goes on.
pub(crate) struct Running {
    meters: Meters,
    pub(crate) sender: Sender,
    name: Option<Name>,
    kind: OperationType,
    root_field: &'static str,
    began: Instant,
    is_measured: AtomicBool,
}

impl Running {
    pub(crate) fn new(
        meters: Meters,
        sender: Sender,
        name: Option<Name>,
        kind: OperationType,
        root_field: &'static str,
    ) -> Self {
        meters.operation_begun(&sender, kind, root_field);
        Self { meters, sender, name, kind, root_field, began: Instant::now(), is_measured: AtomicBool::new(false) }
    }

    pub(crate) fn concluded(&self, outcome: &Outcome) {
        if !self.is_measured.swap(true, Ordering::Relaxed) {
            self.meters.errors(outcome.errors());
            self.measure(Conclusion::of(outcome), outcome.errors().first().and_then(code));
        }
    }

    fn measure(&self, conclusion: Conclusion, code: Option<&str>) {
        let Self { sender, kind, root_field, began, .. } = self;
        let (kind, root_field, duration) = (*kind, *root_field, Some(began.elapsed()));
        let name = self.name.as_deref();
        self.meters.operation(Measured { sender, name, kind, root_field, conclusion, code, duration });
    }
}

/// Without a conclusion it panicked after its client had gone.
impl Drop for Running {
    fn drop(&mut self) {
        if !*self.is_measured.get_mut() {
            self.measure(Conclusion::Fault, None);
        }
    }
}

/// An open subscription.
pub(crate) struct Subscribed {
    pub(super) meter: Arc<dyn Meter>,
    pub(super) sender: Sender,
    pub(super) name: Option<Name>,
    pub(super) root_field: &'static str,
    pub(super) began: Instant,
    /// Of its last event.
    pub(crate) conclusion: Conclusion,
    pub(crate) code: Option<String>,
}

impl Drop for Subscribed {
    fn drop(&mut self) {
        let Self { sender, name, root_field, conclusion, code, .. } = &*self;
        self.meter.subscription_ended(Measured {
            sender,
            name: name.as_deref(),
            kind: OperationType::Subscription,
            root_field,
            conclusion: *conclusion,
            code: code.as_deref(),
            duration: Some(self.began.elapsed()),
        });
    }
}
