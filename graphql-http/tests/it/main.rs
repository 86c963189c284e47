//! GraphQL over HTTP, WebSocket and server-sent events, as clients use it.

mod answers;
mod api;
mod attacks;
mod connection;
mod consistency;
mod documents;
mod faults;
mod introspection;
mod large;
mod limits;
mod media_types;
mod meter;
mod mutations;
mod observer;
mod permissions;
mod persisted;
mod requests;
mod same_origin;
mod scalars;
mod streams;
mod time_limits;
mod trusted;
mod trusted_directories;
mod unavailable;
