//! Both services as real processes, with real signals.

mod backup;
mod cluster;
mod delivery;
mod messages;
mod processes;
mod program;
mod reconcile;
mod trusted_documents;
mod wrong_finance;
