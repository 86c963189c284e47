//! GraphQL over HTTP: what is executed, what is refused, and how either is told.

mod answers;
mod api;
mod attacks;
mod documents;
mod faults;
mod introspection;
mod large;
mod limits;
mod media_types;
mod mutations;
mod persisted;
mod requests;
mod same_origin;
mod time_limits;
mod trusted;
mod trusted_directories;
mod unavailable;
