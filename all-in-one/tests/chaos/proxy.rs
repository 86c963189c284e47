//! Proxies in this process, in which the network fails: before finance and before PostgreSQL.

mod database;
mod finance;

pub(crate) use database::{Cuts, DatabaseProxy};
pub(crate) use finance::{Door, Finance};
