//! The consultation service: starts, finishes and cancels consultations, prices them, and delivers their payments to
//! finance through a transactional outbox.

pub mod config;

pub mod app;

pub mod rules;
pub mod writers;

pub mod outbox;

pub mod accept_finance;
pub mod export;
pub mod finance_client;
pub mod forget;
pub mod import;
pub mod pending;
pub mod reconcile;
pub mod retry;
pub mod settle;

pub mod graphql;
pub mod lists;
pub mod permissions;

mod console;
mod end_date;
mod graphiql_tabs;
mod messages;
pub mod reason;
mod rest;
mod store;
