//! The finance service: records the payment entry of every finished consultation, once.
//!
//! It is the idempotent receiver of the consultation service's outbox: the same payment again returns the stored one,
//! another amount for the same appointment is refused.

pub mod config;

pub mod app;

pub mod rules;
pub mod writer;

pub mod import;

pub mod graphql;
pub mod lists;
pub mod permissions;

mod graphiql_tabs;
mod messages;
mod rest;
mod store;
