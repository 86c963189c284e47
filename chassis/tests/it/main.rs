//! What services, their clients and their operators rely on in the chassis.

mod auth;
mod backup;
mod broken_connections;
mod browsers;
mod busy_readiness;
mod config;
mod connection;
mod database;
mod database_urls;
mod graphql_over_http;
mod guarded;
mod health;
mod htpasswd;
mod lifecycle;
mod migrations;
mod replicas;
mod rest;
mod scalars;
mod silent_connections;
mod streams;
mod tls;
mod upstream;
mod wal;
mod write_coalescer;
