//! Behaviour of the chassis that services, clients and operators rely on.

mod auth;
mod backup;
mod broken_connections;
mod browsers;
mod busy_readiness;
mod client_address;
mod config;
mod connections;
mod database;
mod database_urls;
mod guarded;
mod health;
mod htpasswd;
mod lifecycle;
mod logins;
mod migrations;
mod private_files;
mod replicas;
mod request_ids;
mod rest;
mod silent_connections;
mod streams;
mod tls;
mod upstream;
mod wal;
mod write_coalescer;
