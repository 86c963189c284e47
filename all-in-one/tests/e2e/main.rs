//! Both services as real processes, with real signals.

mod cluster;
mod delivery;
mod processes;
mod program;
mod reconcile;
mod trusted_documents;
