//! For tests: a database per test on both databases, a GraphQL client, services and processes to call.

mod client;
mod database;
mod postgres;
mod process;
mod service;

pub use client::{Answer, GraphqlClient};
pub use database::{Backend, TestDatabase};
pub use postgres::{Postgres, postgres};
pub use process::{Process, free_port};
pub use service::TestService;
