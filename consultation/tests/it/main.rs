//! The promises of the consultation service to users and operators, on both databases.

mod claim_cost;
mod clocks;
mod end_dates;
mod finance_stub;
mod finish;
mod hang_ups;
mod hints;
mod language;
mod limits;
mod lists;
mod livez;
mod outbox;
mod permissions;
mod public_password;
mod queries;
mod reconcile;
mod relay;
mod relay_batches;
mod relay_failures;
mod rest;
mod retention;
mod running;
mod schema;
mod start;
mod subscriptions;
mod wrong_finance;
