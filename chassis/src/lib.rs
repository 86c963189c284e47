//! Microservice chassis: the infrastructure that the services share.
//!
//! Admission rule: both services use it today, and it has no domain word.

pub mod config;
pub mod telemetry;

pub mod backoff;
pub mod changes;
pub mod clock;
pub mod database;
pub mod replicas;
pub mod write_coalescer;

pub mod api;
pub mod auth;
mod body;
pub mod browsers;
pub mod client_address;
pub mod graphiql;
pub mod graphql;
pub mod health;
pub mod http_client;
pub mod language;
mod messages;
pub mod request_id;
pub mod rest;

pub mod cli;
pub mod lifecycle;
pub mod seeded_bug;
pub mod server;
pub mod tls;

pub use lifecycle::Lifecycle;
pub use server::Service;
