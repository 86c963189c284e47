//! Proxies in front of finance and of PostgreSQL: network faults happen here.

mod database;
mod finance;

pub(crate) use database::{Cuts, DatabaseProxy, Lane};
pub(crate) use finance::{Finance, FinanceProxy};
