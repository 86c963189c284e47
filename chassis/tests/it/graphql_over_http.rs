//! GraphQL over HTTP: what is executed, what is refused, and how either is told.

mod answers;
mod api;
mod documents;
mod faults;
mod media_types;
mod mutations;
mod requests;
mod same_origin;
mod time_limits;
