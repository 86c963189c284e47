//! GraphQL over HTTP: what is executed, what is refused, and how either is told.

mod answers;
mod api;
mod documents;
mod faults;
mod media_types;
mod mutations;
mod persisted;
mod requests;
mod time_limits;
mod trusted;
mod trusted_directories;
