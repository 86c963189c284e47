//! Proxies in this process, in which the network fails: before finance and before PostgreSQL.

mod database;
mod finance;

pub(crate) use database::{Cuts, DatabaseProxy, Lane};
pub(crate) use finance::{Finance, FinanceProxy};
