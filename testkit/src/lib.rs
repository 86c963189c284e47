//! Test support: a database per test on either database, a GraphQL client, and services to call.

#![expect(clippy::missing_panics_doc, reason = "a test that cannot go on panics")]

mod client;
mod collector;
mod database;
mod doors;
mod log;
mod plan;
mod postgres;
mod process;
mod proxy;
mod refusals;
mod replication;
mod roles;
mod schema;
mod service;
mod socket;
mod users;

pub use client::{Answer, GraphqlClient};
pub use collector::{Behaviour, Collector, TracedSpan};
pub use database::{Backend, TestDatabase};
pub use doors::Doors;
pub use log::Log;
pub use plan::plan;
pub use postgres::{Cluster, Hanging, OwnServer, Postgres, postgres};
pub use process::{Process, free_port};
pub use proxy::Proxy;
pub use refusals::assert_codes_are_names;
pub use replication::Replication;
pub use schema::SchemaNames;
pub use service::TestService;
pub use socket::{Events, Socket};
pub use users::RoleUsers;
