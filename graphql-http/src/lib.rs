#![doc = include_str!("../README.md")]

mod accept;
mod admission;
mod bad_request;
pub mod body;
mod caller;
pub mod complexity;
pub mod connection;
pub mod cross_site;
mod documents;
mod endpoint;
mod errors;
mod event_stream;
mod explain;
pub mod graphiql;
mod http;
mod json;
mod limits;
mod memory;
mod options;
mod parsed;
mod permissions;
pub mod refusal;
mod request;
mod response;
pub mod scalars;
mod shares;
mod task_context;
mod websocket;

pub use caller::{Authenticate, Caller, ClientNetwork, Rejected, Transport};
pub use documents::DocumentsError;
pub use endpoint::Endpoint;
pub use http::{method_not_allowed, router};
pub use options::Options;
pub use permissions::{Permissions, Rule};
pub use task_context::TaskContext;
pub use websocket::is_websocket;
