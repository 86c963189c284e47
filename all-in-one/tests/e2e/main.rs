//! Both services as real processes, with real signals.

mod access_log;
mod audit;
mod backup;
mod change_feed;
mod client_certificates;
mod cluster;
mod command_line;
mod delivery;
mod messages;
mod metrics;
mod migrate_status;
mod outage;
mod patient_ids;
mod privacy;
mod processes;
mod program;
mod reconcile;
mod reconcile_outputs;
mod reconcile_stored;
mod roles;
mod rust_client;
mod traces;
mod traces_exporter;
mod trusted_documents;
mod wrong_finance;
