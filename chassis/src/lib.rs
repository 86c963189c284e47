//! Microservice chassis: the infrastructure that the services share.
//!
//! Admission rule: both services use it today, and it has no domain word.

mod access_log;
pub mod audit;
pub mod config;
mod json_lines;
pub mod metrics;
pub mod telemetry;
pub mod traces;

pub mod backoff;
pub mod changes;
pub mod clock;
pub mod database;
pub mod import;
pub mod replicas;
pub mod write_coalescer;

pub mod gate;
pub mod graphql;
pub mod health;
pub mod http_client;
pub mod language;
mod messages;
pub mod rest;

pub mod cli;
pub mod lifecycle;
pub mod server;
pub mod tls;

pub use lifecycle::Lifecycle;
pub use server::Service;
