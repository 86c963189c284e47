//! The promises of the finance service to its clients, on both databases.

mod access;
mod amounts;
mod callers;
mod currency;
mod federation;
mod filters;
mod history;
mod instance;
mod limits;
mod list_plans;
mod listing;
mod lost_answers;
mod permissions;
mod queries;
mod races;
mod read_replica;
mod record_payment;
mod record_payments;
mod record_writer;
mod rest;
mod running;
mod schema;
mod standby;
mod subscriptions;
mod tailing;
